// The base of every part of the full path: the orders of one book.
#pragma once

#include <cstdint>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// The orders of one book, resting or waiting, and their store.
class BookOrders {
  public:
    BookOrders(OrderStore& its_store, std::uint32_t its_symbol)
        : store(its_store), book(its_store.book(its_symbol)), symbol(its_symbol) {}

    Handle find(std::uint64_t id) const { return store.find(id, symbol); }
    Handle next(Handle handle) const { return store.nodes()[handle].next; }
    const OrderBody& operator[](Handle handle) const { return store.order(handle); }
    const OrderAttributes& attributes(Handle handle) const { return store.attributes(handle); }
    const LevelBody& level(Handle handle) const { return store.level(handle); }

    bool waits(Handle handle) const { return (store.order(handle).attributes & attribute_waits) != 0; }
    /// The remaining quantity of an order, displayed and hidden.
    std::uint32_t total(Handle handle) const {
        return store.order(handle).quantity + store.reserve_quantity(store.order(handle));
    }
    std::int64_t limit_of(Handle handle) const { return store.limit_of(book, handle); }
    std::uint32_t participant_id(Handle handle) const {
        return (store.order(handle).attributes & attribute_participant) != 0 ? attributes(handle).participant_id : 0;
    }

    /// Append a live order to the queue at a price.
    LOWLAT_INLINE void enqueue(Handle handle, std::int64_t price) {
        const Side side = store.order(handle).side;
        store.enqueue(book.ladders[side], book.key_of(side, price), handle);
    }

    /// Release a live order that is not queued.
    LOWLAT_INLINE void release(Handle handle) { store.release(book, handle); }

    /// Dequeue and release a live order.
    LOWLAT_INLINE void remove(Handle handle) {
        store.dequeue((waits(handle) ? book.stops : book.ladders)[store.order(handle).side], handle);
        release(handle);
    }

    OrderStore& store;
    Book& book;
    const std::uint32_t symbol;
};

}  // namespace lowlat
