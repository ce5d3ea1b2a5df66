// Good-till-date orders in a heap by expiry, the earliest on top.
#pragma once

#include <cstdint>

#include "engine/native/matching/order_attributes.hpp"

namespace lowlat {

/// Each order's attributes hold its place, so that an order that leaves early is removed in O(log n). Owns no memory.
class ExpiryHeap {
  public:
    /// Four per cache line; a comparison reads the attributes only if two orders expire together.
    struct alignas(16) Entry {
        std::uint64_t expiry;
        Handle order;
        Handle attributes_handle;  // its attributes
    };

    std::uint32_t size() const { return size_; }
    const Entry& top() const { return heap_[0]; }
    Handle at(std::uint32_t place) const { return heap_[place].order; }

    void push(Pool<OrderAttributes>& attributes, Handle order, Handle attributes_handle) {
        rise(attributes, size_++, {attributes[attributes_handle].expiry, order, attributes_handle});
    }

    void erase(Pool<OrderAttributes>& attributes, Handle attributes_handle) {
        const std::uint32_t place = attributes[attributes_handle].place;
        const Entry last = heap_[--size_];
        if (place == size_) return;
        sink(attributes, place, last);
        rise(attributes, attributes[last.attributes_handle].place, last);
    }

    void reset() { size_ = 0; }

    /// Use a larger array, to which the heap has been copied.
    void move_to(Entry* heap) { heap_ = heap; }
    const Entry* data() const { return heap_; }

  private:
    void put(Pool<OrderAttributes>& attributes, std::uint32_t place, const Entry& entry) {
        heap_[place] = entry;
        attributes[entry.attributes_handle].place = place;
    }

    static bool before(const Pool<OrderAttributes>& attributes, const Entry& a, const Entry& b) {
        if (a.expiry != b.expiry) return a.expiry < b.expiry;
        return attributes[a.attributes_handle].accepted < attributes[b.attributes_handle].accepted;
    }

    /// Sift an entry up from a place.
    void rise(Pool<OrderAttributes>& attributes, std::uint32_t place, const Entry& entry) {
        while (place != 0 && before(attributes, entry, heap_[(place - 1) / 2])) {
            put(attributes, place, heap_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        put(attributes, place, entry);
    }

    /// Sift an entry down from a place.
    void sink(Pool<OrderAttributes>& attributes, std::uint32_t place, const Entry& entry) {
        for (std::uint32_t child = 2 * place + 1; child < size_; child = 2 * place + 1) {
            if (child + 1 < size_ && before(attributes, heap_[child + 1], heap_[child])) ++child;
            if (!before(attributes, heap_[child], entry)) break;
            put(attributes, place, heap_[child]);
            place = child;
        }
        put(attributes, place, entry);
    }

    Entry* heap_ = nullptr;
    std::uint32_t size_ = 0;
};

}  // namespace lowlat
