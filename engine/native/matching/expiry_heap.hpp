// Good-till-date orders, the first to go on top: a heap of their expiries.
#pragma once

#include <cstdint>

#include "engine/native/matching/order_attributes.hpp"

namespace lowlat {

/// Each order's terms know its place, so that one that leaves otherwise is taken out in O(log n). Owns no memory.
class Expiries {
  public:
    /// Four to a cache line: a comparison looks at terms only where two orders expire together.
    struct alignas(16) Entry {
        std::uint64_t expiry;
        Handle order;
        Handle kept;  // its terms
    };

    std::uint32_t size() const { return size_; }
    const Entry& top() const { return heap_[0]; }
    Handle at(std::uint32_t place) const { return heap_[place].order; }

    void push(Pool<OrderTerms>& terms, Handle order, Handle kept) {
        rise(terms, size_++, {terms[kept].expiry, order, kept});
    }

    void erase(Pool<OrderTerms>& terms, Handle kept) {
        const std::uint32_t place = terms[kept].place;
        const Entry last = heap_[--size_];
        if (place == size_) return;
        sink(terms, place, last);
        rise(terms, terms[last.kept].place, last);
    }

    void reset() { size_ = 0; }

    /// The heap has been copied to a larger array.
    void move_to(Entry* heap) { heap_ = heap; }
    const Entry* data() const { return heap_; }

  private:
    void put(Pool<OrderTerms>& terms, std::uint32_t place, const Entry& entry) {
        heap_[place] = entry;
        terms[entry.kept].place = place;
    }

    static bool before(const Pool<OrderTerms>& terms, const Entry& a, const Entry& b) {
        if (a.expiry != b.expiry) return a.expiry < b.expiry;
        return terms[a.kept].accepted < terms[b.kept].accepted;
    }

    /// Put an entry at a place, or above it.
    void rise(Pool<OrderTerms>& terms, std::uint32_t place, const Entry& entry) {
        while (place != 0 && before(terms, entry, heap_[(place - 1) / 2])) {
            put(terms, place, heap_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        put(terms, place, entry);
    }

    /// Put an entry at a place, or below it.
    void sink(Pool<OrderTerms>& terms, std::uint32_t place, const Entry& entry) {
        for (std::uint32_t child = 2 * place + 1; child < size_; child = 2 * place + 1) {
            if (child + 1 < size_ && before(terms, heap_[child + 1], heap_[child])) ++child;
            if (!before(terms, heap_[child], entry)) break;
            put(terms, place, heap_[child]);
            place = child;
        }
        put(terms, place, entry);
    }

    Entry* heap_ = nullptr;
    std::uint32_t size_ = 0;
};

}  // namespace lowlat
