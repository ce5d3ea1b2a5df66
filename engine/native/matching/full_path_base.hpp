// The base of every part of the full path: the orders of one book.
#pragma once

#include <cstdint>
#include <new>

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

    LOWLAT_INLINE Handle find(std::uint64_t id) const { return store.find(id, symbol); }
    Handle next(Handle handle) const { return store.nodes()[handle].next; }
    const OrderBody& operator[](Handle handle) const { return store.order(handle); }
    const OrderAttributes& attributes(Handle handle) const { return store.attributes(handle); }
    const LevelBody& level(Handle handle) const { return store.level(handle); }

    bool waits(Handle handle) const { return (store.order(handle).attributes & attribute_waits) != 0; }
    bool trails(Handle handle) const { return waits(handle) && attributes(handle).kind == CommandType::trailing_stop; }
    /// The remaining quantity of an order, displayed and hidden.
    std::uint32_t total(Handle handle) const {
        return store.order(handle).quantity + store.reserve_quantity(store.order(handle));
    }
    LOWLAT_INLINE std::int64_t limit_of(Handle handle) const { return store.limit_of(book, handle); }
    std::uint32_t participant_id(Handle handle) const {
        return (store.order(handle).attributes & attribute_participant) != 0 ? attributes(handle).participant_id : 0;
    }

    // Operations on resting orders. Each tells the index of the book, if there is one, and the all-or-none orders that
    // the change may let trade.

    /// Append a live order to the queue at a price.
    LOWLAT_INLINE void enqueue(Handle handle, std::int64_t price) {
        const Side side = store.order(handle).side;
        store.enqueue(book.ladders[side], book.key_of(side, price), handle);
        if (unlikely(watched())) after_enqueue(handle);
    }

    /// Remove a resting order from its queue; it stays live.
    LOWLAT_INLINE void dequeue(Handle handle) {
        if (unlikely(watched())) before_dequeue(handle);
        store.dequeue(book.ladders[store.order(handle).side], handle);
    }

    /// Remove a waiting stop from its queue or tree; it stays live.
    void dequeue_waiting(Handle handle) {
        const Side side = store.order(handle).side;
        if (trails(handle)) {
            store.trailing(book, side).remove(handle);
        } else {
            store.dequeue(book.stops[side], handle);
        }
    }

    /// Release a live order that is not queued.
    LOWLAT_INLINE void release(Handle handle) { store.release(book, handle); }

    /// Dequeue and release a live order.
    LOWLAT_INLINE void remove(Handle handle) {
        if (waits(handle)) {
            dequeue_waiting(handle);
        } else {
            dequeue(handle);
        }
        release(handle);
    }

    /// Reduce the displayed quantity of a queued order.
    LOWLAT_INLINE void reduce_shown(Handle handle, std::uint32_t quantity) {
        if (unlikely(watched())) return reduce_watched(handle, quantity);
        store.reduce_shown(handle, quantity);
    }

    /// Set an iceberg's hidden quantity to less.
    LOWLAT_INLINE void set_hidden(Handle handle, std::uint32_t quantity) {
        const std::uint32_t less = attributes(handle).reserve_quantity - quantity;
        store.set_hidden(handle, quantity);
        if (unlikely(watched())) after_shrink(handle, less);
    }

    /// Show the next slice of an iceberg that displays nothing, at the back of its queue.
    LOWLAT_INLINE void refill(Handle handle) {
        if (unlikely(watched())) before_dequeue(handle);
        store.refill(handle);
        if (unlikely(watched())) after_enqueue(handle);
    }

    OrderStore& store;
    Book& book;
    const std::uint32_t symbol;

  private:
    /// Whether an index, or all-or-none orders that reach the other side, may have to know of a change.
    LOWLAT_INLINE bool watched() const {
        return book.index != nullptr || ~book.ladders[Side::buy].best_key() >= book.ladders[Side::sell].best_key();
    }

    LOWLAT_APART void after_enqueue(Handle handle) {
        book.retry_after_change(store.order(handle), level(store.order(handle).level).key);
        if (book.index == nullptr) return;
        try {
            book.index->add(handle);
        } catch (const std::bad_alloc&) {
            book.drop_index();
        }
    }

    LOWLAT_APART void before_dequeue(Handle handle) {
        book.retry_after_change(store.order(handle), level(store.order(handle).level).key);
        if (book.index != nullptr) book.index->remove(handle);
    }

    LOWLAT_APART void after_shrink(Handle handle, std::uint32_t less) {
        book.retry_after_change(store.order(handle), level(store.order(handle).level).key);
        if (book.index != nullptr) book.index->shrink(handle, less);
    }

    LOWLAT_APART void reduce_watched(Handle handle, std::uint32_t quantity) {
        if (waits(handle)) return store.reduce_shown(handle, quantity);
        if (!OrderStore::all_or_none(store.order(handle))) {
            store.reduce_shown(handle, quantity);
            return after_shrink(handle, quantity);
        }
        before_dequeue(handle);
        store.reduce_shown(handle, quantity);
        if (book.index != nullptr) book.index->put_back(handle);
    }
};

}  // namespace lowlat
