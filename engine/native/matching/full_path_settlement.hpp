// Consequences of a command: due stops, and all-or-none orders that can trade now.
#pragma once

#include <cstdint>

#include "engine/native/matching/full_path_matching.hpp"
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
            while (orders().book.due.first != nil) trigger(orders().book.due.first);
        } while (orders().book.may_fill() && (fill_one(Side::buy) || fill_one(Side::sell)));
    }

    /// Enter a due stop as the order it becomes.
    void trigger(Handle handle) {
        orders().store.remove(orders().book.due, handle);
        const OrderBody& body = orders()[handle];
        const OrderAttributes& stop = orders().attributes(handle);
        const bool limited = stop.kind == CommandType::stop_limit;
        matching_.context().emit_whole(ExecType::triggered, body, stop.anchor);
        Taker taker =
            matching_.taker_of(handle, limited ? CommandType::limit : CommandType::market, limited ? stop.price : 0);
        const bool refused =
            orders().store.tape_refuses() && !orders().store.tape_takes(matching_.judge(taker).records);
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
        if (orders().book.all_or_none[side] == 0) return false;
        const Handle handle = find_fillable(side);
        if (handle == nil) return false;
        const std::int64_t price = orders().limit_of(handle);
        matching_.context().emit_whole(ExecType::triggered, orders()[handle], price);
        Taker taker = matching_.taker_of(handle, CommandType::limit, price);
        orders().store.dequeue(orders().book.ladders[side], handle);
        matching_.match(taker);
        orders().release(handle);
        return true;
    }

    Handle find_fillable(Side side) const {
        const Book& book = orders().book;
        Handle found = nil;
        book.ladders[side].for_each([&](std::int64_t key, Handle level) {
            const std::int64_t price = book.price_of(side, key);
            if (book.key_of(opposite(side), price) < book.ladders[opposite(side)].best_key()) return false;
            for (Handle at = orders().next(level); at != level && found == nil; at = orders().next(at)) {
                if (!OrderStore::all_or_none(orders()[at])) continue;
                const auto judged = matching_.judge(matching_.taker_of(at, CommandType::limit, price));
                if (judged.whole && orders().store.tape_takes(judged.records)) found = at;
            }
            return found == nil;
        });
        return found;
    }

    Matching<Sink>& matching_;
};

}  // namespace lowlat
