// Stops: when a trade makes them due, and how trailing ones follow it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/full_path_base.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

template <typename Sink>
class TermsStops : public TermsBase<Sink> {
  protected:
    using Base = TermsBase<Sink>;
    using Base::Base;
    using Base::book_;
    using Base::key_of;
    using Base::nodes;
    using Base::order;
    using Base::price_of;
    using Base::store_;
    using Base::terms;
    using List = Book::List;

    // A stop's ladder is keyed as the prices are that it waits for: a buy stop's as asks, a sell stop's as bids.
    std::int64_t trigger_key(std::uint32_t side, std::int64_t trigger) const { return key_of(side ^ 1, trigger); }

    bool reached(std::uint32_t side, std::int64_t trigger) const {
        return book_.traded && trigger_key(side, trigger) <= trigger_key(side, book_.last);
    }

    /// Where a trailing stop triggers while the best price since it came is `anchor`. Fits the price's type unless the
    /// stop buys (or a price is negative): then the caller looks first.
    __int128 trail(std::uint32_t side, std::int64_t anchor, std::int64_t distance, std::uint8_t flags) const {
        const std::int64_t tick = book_.rules.tick;
        __int128 away = distance;
        if ((flags & flag_trail_basis_points) != 0) {
            const __int128 magnitude = anchor < 0 ? -static_cast<__int128>(anchor) : anchor;
            away = std::max<__int128>(magnitude * distance / basis_points_max / tick, 1) * tick;
        }
        return side == 0 ? anchor + away : anchor - away;
    }

    /// A trade has printed. At the price of the one before nothing is left to reach.
    LOWLAT_INLINE void after_trade(std::int64_t price) {
        if (price == book_.last && book_.traded) return;
        book_.last = price;
        book_.traded = true;
        reach_stops(price);
    }

    /// Stops that the price has reached become due, and those that trail follow it.
    LOWLAT_APART void reach_stops(std::int64_t price) {
        for (std::uint32_t side = 0; side < 2; ++side) {
            Ladder& stops = book_.stops[side];
            while (stops.best() != nil && stops.best_key() <= trigger_key(side, price)) become_due(side, stops);
        }
        for (std::uint32_t side = 0; side < 2; ++side)
            if (passed(side, book_.trailing[side].last, price)) follow(side, price);
    }

    /// No more in the list of stops that trail.
    void stop_trailing(Handle handle) {
        if (terms(handle).kind == CommandType::trailing_stop) unlink(book_.trailing[order(handle).side], handle);
    }

    void append(List& list, Handle handle) {
        OrderTerms& added = terms(handle);
        added.next = nil;
        added.prev = list.last;
        (list.last == nil ? list.first : terms(list.last).next) = handle;
        list.last = handle;
    }

    void unlink(List& list, Handle handle) {
        const OrderTerms& gone = terms(handle);
        (gone.prev == nil ? list.first : terms(gone.prev).next) = gone.next;
        (gone.next == nil ? list.last : terms(gone.next).prev) = gone.prev;
    }

  private:
    /// All orders of the best level.
    void become_due(std::uint32_t side, Ladder& stops) {
        const std::int64_t trigger = price_of(side ^ 1, stops.best_key());
        const Handle reached_level = stops.best();
        for (std::uint32_t left = this->level(reached_level).order_count; left > 0; --left) {
            const Handle handle = nodes()[reached_level].next;
            stop_trailing(handle);
            store_.take_out(stops, handle);
            terms(handle).anchor = trigger;
            append(book_.due, handle);
        }
    }

    /// Whether there is such a trailing stop, and the price is better than its anchor.
    bool passed(std::uint32_t side, Handle handle, std::int64_t price) const {
        if (handle == nil) return false;
        const std::int64_t anchor = terms(handle).anchor;
        return side == 0 ? price < anchor : price > anchor;
    }

    /// Trailing stops whose anchor the price has passed are the youngest: an older one has seen all that they have.
    void follow(std::uint32_t side, std::int64_t price) {
        Handle handle = book_.trailing[side].last;
        while (passed(side, terms(handle).prev, price)) handle = terms(handle).prev;
        Ladder& stops = book_.stops[side];
        for (; handle != nil; handle = terms(handle).next) {
            OrderTerms& moved = terms(handle);
            moved.anchor = price;
            const auto trigger = static_cast<std::int64_t>(trail(side, price, moved.distance, moved.flags));
            const std::int64_t key = trigger_key(side, trigger);
            if (key == this->level(order(handle).level).key) continue;
            store_.take_out(stops, handle);
            store_.queue_up(stops, key, handle);
        }
    }
};

}  // namespace lowlat
