// Consequences of a command: due stops, and all-or-none orders that can trade now.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/native/matching/full_path_matching.hpp"
#include "engine/native/matching/index_policy.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Settles one book after a command.
template <typename Sink>
class Settlement {
  public:
    explicit Settlement(Matching<Sink>& matching) : matching_(matching) {}

    LOWLAT_INLINE void settle() {
        if (unlikely(orders().book.due.first != nil || orders().book.may_fill())) settle_all();
    }

  private:
    BookOrders& orders() const { return matching_.context().orders(); }

    /// Execute due stops one by one, then all-or-none orders that can trade, until there are none of either.
    LOWLAT_APART void settle_all() {
        if (orders().book.phase != TradingPhase::continuous) return;
        do {
            while (orders().book.due.first != nil) {
                consider_index(orders().store, orders().book);
                trigger(orders().book.due.first);
            }
        } while (fill_one(Side::buy) || fill_one(Side::sell));
    }

    /// Enter a due stop as the order it becomes.
    void trigger(Handle handle) {
        orders().store.remove_first(orders().book.due);
        const OrderBody& body = orders()[handle];
        const OrderAttributes& stop = orders().attributes(handle);
        const bool limited = stop.kind == CommandType::stop_limit;
        matching_.context().emit_whole(ExecType::triggered, body, stop.anchor);
        Taker taker =
            matching_.taker_of(handle, limited ? CommandType::limit : CommandType::market, limited ? stop.price : 0);
        const bool refused = !matching_.dry_run().tape_takes(taker);
        if (!refused) matching_.match(taker);
        if (taker.left != 0 && limited && !refused) {
            orders().store.end_waiting(orders().book, handle);
            orders().store.set_quantity(handle, taker.left);
            orders().enqueue(handle, taker.price);
            return;
        }
        if (taker.left != 0) matching_.cancel_rest(taker, refused ? Reason::trade_pool_full : Reason::market_remainder);
        orders().release(handle);
    }

    /// Trade the first all-or-none order of a side that can fill completely. False if none can.
    bool fill_one(Side side) {
        if (!orders().book.retry[side]) return false;
        orders().book.retry[side] = false;
        if (orders().book.all_or_none[side] == 0) return false;
        const Handle handle = find_fillable(side);
        if (handle == nil) return false;
        orders().book.retry[side] = true;
        const std::int64_t price = orders().limit_of(handle);
        matching_.context().emit_whole(ExecType::triggered, orders()[handle], price);
        Taker taker = matching_.taker_of(handle, CommandType::limit, price);
        orders().dequeue(handle);
        matching_.match(taker);
        orders().release(handle);
        return true;
    }

    /// By a walk, until it has cost as much as an index of the book: then in that index.
    Handle find_fillable(Side side) const {
        const Book& book = orders().book;
        if (book.index == nullptr) {
            const Handle found = find_by_walk(side);
            if (book.index == nullptr) return found;
        }
        return find_by_index(side);
    }

    /// Ends when the index has been built.
    Handle find_by_walk(Side side) const {
        Book& book = orders().book;
        std::uint64_t steps = 0;
        Handle found = nil;
        book.ladders[side].for_each([&](std::int64_t key, Handle level) {
            if (~key < book.ladders[opposite(side)].best_key()) return false;
            for (Handle at = orders().next(level); at != level && found == nil; at = orders().next(at)) {
                ++steps;
                if (!OrderStore::all_or_none(orders()[at])) continue;
                consider_index(orders().store, book);
                if (book.index != nullptr) return false;
                if (can_fill(at)) found = at;
            }
            return found == nil;
        });
        book.walks.count(steps);
        return found;
    }

    Handle find_by_index(Side side) const {
        const Book& book = orders().book;
        Priority after{std::numeric_limits<std::int64_t>::min(), 0};
        for (;;) {
            const Handle at = book.index->next_fillable(side, after);
            if (at == nil || ~book.index->priority(at).key < book.ladders[opposite(side)].best_key()) return nil;
            if (can_fill(at)) return at;
            after = book.index->priority(at);
        }
    }

    /// Whether an all-or-none order can trade now. If it only waits for room on the tape, its side is tried again.
    bool can_fill(Handle handle) const {
        const Taker taker = matching_.taker_of(handle, CommandType::limit, orders().limit_of(handle));
        if (!matching_.dry_run().fills(taker)) return false;
        if (matching_.dry_run().tape_takes(taker)) return true;
        orders().book.retry[orders()[handle].side] = true;
        return false;
    }

    Matching<Sink>& matching_;
};

}  // namespace lowlat
