// The orders and stops of a book as records, for queries.
#pragma once

#include <cstdint>

#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/matching/waiting_stops.hpp"

namespace lowlat {

/// Call `visit(OrderRow)` for every resting order: bids best first, then asks, oldest first within a level.
template <typename Visit>
void for_each_order(const OrderStore& store, std::uint32_t symbol, Visit visit) {
    const Book& book = store.books()[symbol];
    for (const Ladder& ladder : book.ladders) {
        store.for_each_queued(ladder, [&](Handle at) {
            const OrderBody& order = store.order(at);
            visit(OrderRow{.order_id = order.id,
                           .price = store.limit_of(book, at),
                           .quantity = order.quantity,
                           .symbol = order.symbol,
                           .side = byte_of(order.side),
                           .flags = OrderStore::all_or_none(order) ? flag_all_or_none : std::uint8_t{0},
                           .zero = 0,
                           .reserve_quantity = store.reserve_quantity(order)});
        });
    }
}

/// Call `visit(StopRow)` for every waiting stop: buys, then sells, in the order in which a moving price reaches them.
template <typename Visit>
void for_each_stop(const OrderStore& store, std::uint32_t symbol, Visit visit) {
    const Book& book = store.books()[symbol];
    for (const Side side : both_sides) {
        for (const WaitingStop& stop : waiting_stops(store, book, side)) {
            const OrderBody& order = store.order(stop.handle);
            visit(StopRow{.order_id = order.id,
                          .price = store.limit_of(book, stop.handle),
                          .trigger = book.price_of(opposite(side), stop.key),
                          .quantity = order.quantity,
                          .symbol = order.symbol,
                          .kind = store.attributes(stop.handle).kind,
                          .side = byte_of(side),
                          .zero = {}});
        }
    }
}

}  // namespace lowlat
