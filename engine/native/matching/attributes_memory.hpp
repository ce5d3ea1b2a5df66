// The memory of orders' attributes and of the heap of their expiries: reserved for every order, resident only as far as
// orders with attributes have been there at once. In a book of plain orders it takes nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/native/matching/expiry_heap.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

class AttributesMemory {
  public:
    /// Bytes when all of it is resident.
    static std::uint64_t bytes_for(std::uint64_t orders) { return attributes_bytes(orders) + heap_bytes(orders); }

    AttributesMemory() = default;
    /// For this many orders, and with addresses for `room`. Throws std::bad_alloc.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as of a region
    AttributesMemory(std::uint32_t orders, std::uint32_t room)
        : orders_(orders),
          attributes_region_(attributes_bytes(orders), Touch::as_used, attributes_bytes(room)),
          heap_region_(heap_bytes(orders), Touch::as_used, heap_bytes(room)),
          attributes_(attributes_region_.take<OrderAttributes>(std::uint64_t{orders} + 1)),
          heap_(heap_region_.take<ExpiryHeap::Entry>(orders)) {}

    /// Tell both where their memory is.
    void place(Pool<OrderAttributes>& attributes, ExpiryHeap& expiries) const {
        attributes.move_to(attributes_, attributes.capacity());
        expiries.move_to(heap_);
    }

    /// Make room for more orders. Throws std::bad_alloc; both are as they were then, but perhaps elsewhere.
    void grow(std::uint32_t orders, Pool<OrderAttributes>& attributes, ExpiryHeap& expiries) {
        attributes_region_.grow(attributes_bytes(orders));
        attributes_ = attributes_region_.take<OrderAttributes>(std::uint64_t{orders} + 1);
        place(attributes, expiries);
        heap_region_.grow(heap_bytes(orders));
        heap_ = heap_region_.take<ExpiryHeap::Entry>(orders);
        place(attributes, expiries);
        orders_ = orders;
    }

    /// Do now what grow() would have to do for one of the regions. False if that is nothing.
    bool grow_ahead(std::uint32_t orders) {
        return attributes_region_.grow_ahead(attributes_bytes(orders)) || heap_region_.grow_ahead(heap_bytes(orders));
    }

    /// Give the pool more of its memory, a little at a time, so that no command waits long.
    LOWLAT_COLD void extend(Pool<OrderAttributes>& attributes) {
        constexpr std::uint32_t step = 1'024;
        const std::uint32_t capacity = std::min(attributes.capacity() + step, orders_);
        make_resident(capacity);
        attributes.move_to(attributes_, capacity);
    }

    /// Call `visit(part, region)` for what is resident.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        if (attributes_region_.touched() == 0) return;
        visit("order attributes", attributes_region_);
        visit("order expiries", heap_region_);
    }

  private:
    static std::uint64_t attributes_bytes(std::uint64_t orders) {
        return LockedRegion::room_for<OrderAttributes>(orders + 1);
    }
    static std::uint64_t heap_bytes(std::uint64_t orders) { return LockedRegion::room_for<ExpiryHeap::Entry>(orders); }

    /// Of both, what this many orders need.
    void make_resident(std::uint32_t orders) {
        if (orders == 0) return;
        attributes_region_.touch((std::uint64_t{orders} + 1) * sizeof(OrderAttributes));
        heap_region_.touch(std::uint64_t{orders} * sizeof(ExpiryHeap::Entry));
    }

    std::uint32_t orders_ = 0;
    LockedRegion attributes_region_;
    LockedRegion heap_region_;
    OrderAttributes* attributes_ = nullptr;
    ExpiryHeap::Entry* heap_ = nullptr;
};

}  // namespace lowlat
