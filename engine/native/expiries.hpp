// Good-till-date orders, the first to go on top: a heap of handles whose keys lie in the orders' terms.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/native/node.hpp"
#include "engine/native/order_terms.hpp"

namespace lowlat {

/// Each order knows its place, so that one that leaves otherwise is taken out in O(log n). Owns no memory.
class Expiries {
  public:
    Expiries() = default;
    explicit Expiries(Handle* heap) : heap_(heap) {}

    std::uint32_t size() const { return size_; }
    Handle top() const { return heap_[0]; }
    Handle at(std::uint32_t place) const { return heap_[place]; }

    void push(Nodes& nodes, Pool<OrderTerms>& terms, Handle order) {
        put(nodes, terms, size_++, order);
        rise(nodes, terms, size_ - 1);
    }

    void erase(Nodes& nodes, Pool<OrderTerms>& terms, Handle order) {
        const std::uint32_t place = terms[nodes[order].order.kept].place;
        const Handle last = heap_[--size_];
        if (place == size_) return;
        put(nodes, terms, place, last);
        rise(nodes, terms, place);
        sink(nodes, terms, terms[nodes[last].order.kept].place);
    }

    void reset() { size_ = 0; }

    /// The heap has been copied to a larger array.
    void move_to(Handle* heap) { heap_ = heap; }
    const Handle* data() const { return heap_; }

  private:
    void put(Nodes& nodes, Pool<OrderTerms>& terms, std::uint32_t place, Handle order) {
        heap_[place] = order;
        terms[nodes[order].order.kept].place = place;
    }

    static bool before(const Nodes& nodes, const Pool<OrderTerms>& terms, Handle left, Handle right) {
        const OrderTerms& a = terms[nodes[left].order.kept];
        const OrderTerms& b = terms[nodes[right].order.kept];
        return std::pair(a.expiry, a.accepted) < std::pair(b.expiry, b.accepted);
    }

    void rise(Nodes& nodes, Pool<OrderTerms>& terms, std::uint32_t place) {
        const Handle order = heap_[place];
        while (place != 0 && before(nodes, terms, order, heap_[(place - 1) / 2])) {
            put(nodes, terms, place, heap_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        put(nodes, terms, place, order);
    }

    void sink(Nodes& nodes, Pool<OrderTerms>& terms, std::uint32_t place) {
        const Handle order = heap_[place];
        for (std::uint32_t child = 2 * place + 1; child < size_; child = 2 * place + 1) {
            if (child + 1 < size_ && before(nodes, terms, heap_[child + 1], heap_[child])) ++child;
            if (!before(nodes, terms, heap_[child], order)) break;
            put(nodes, terms, place, heap_[child]);
            place = child;
        }
        put(nodes, terms, place, order);
    }

    Handle* heap_ = nullptr;
    std::uint32_t size_ = 0;
};

}  // namespace lowlat
