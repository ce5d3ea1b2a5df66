// How an order is found by its id: the index that the engine has, with ids as slots or with a hash of them.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/pool.hpp"

namespace lowlat {

/// Each operation enters an order with the next id, and removes the one that entered `indexed_orders` before: the life
/// of ids that a venue or a client counts up.
inline constexpr std::uint32_t indexed_orders = 1U << 17;

inline Pass measure_order_lookup(const Trial& trial) {
    std::vector<Handle> slots(OrderIndex::slots_for(indexed_orders));
    OrderIndex index(slots);
    if (!trial.with) index.rehash();
    struct Entry {
        std::uint64_t id;
        Handle next;
    };
    constexpr std::uint32_t mask = indexed_orders - 1;
    std::vector<Entry> orders(indexed_orders + 1);  // the order of id n is number n % indexed_orders + 1
    const auto link = [&](Handle order) -> Handle& { return orders[index_of(order)].next; };
    const auto enter = [&](std::uint64_t id) {
        const Handle order{static_cast<std::uint32_t>(id & mask) + 1};
        orders[index_of(order)].id = id;
        index.insert(index.home(id, 0), order, link);
    };
    for (std::uint64_t id = 0; id < indexed_orders; ++id) enter(id);
    return measured_operations(trial, [&](std::uint64_t oldest) {
        const OrderIndex::Home home = index.home(oldest, 0);
        const auto is_oldest = [&](Handle order) { return orders[index_of(order)].id == oldest; };
        index.erase(home, OrderIndex::find(index.first(home), is_oldest, link), link);
        enter(oldest + indexed_orders);
    });
}

}  // namespace lowlat
