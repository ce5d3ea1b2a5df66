// Stops: triggering by trades, and trailing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/full_path_base.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// The stops of one book. Emits no events.
class Stops {
  public:
    explicit Stops(const BookOrders& orders) : orders_(orders) {}

    BookOrders& orders() { return orders_; }
    const BookOrders& orders() const { return orders_; }

    /// Whether the last trade has reached the trigger.
    bool reached(Side side, std::int64_t trigger) const {
        const Book& book = orders_.book;
        return book.traded && trigger_key(side, trigger) <= trigger_key(side, book.last);
    }

    /// Queue the command's new stop by its trigger.
    void wait(const ExtendedCommand& command, Handle handle) {
        Book& book = orders_.book;
        const Side side = side_of(command);
        const std::uint64_t moment = ++book.stop_moments;
        if (command.kind == CommandType::trailing_stop) {
            orders_.store.set_anchor(handle, book.last);
            orders_.store.trailing(book, side).add(handle, moment);
        } else {
            orders_.store.set_anchor(handle, static_cast<std::int64_t>(moment));
            orders_.store.enqueue(book.stops[side], trigger_key(side, command.trigger), handle);
        }
    }

    /// Update the stops after a trade. A trade at the previous price reaches nothing new.
    LOWLAT_INLINE void after_trade(std::int64_t price) {
        Book& book = orders_.book;
        if (price == book.last && book.traded) return;
        book.last = price;
        book.traded = true;
        reach_stops(price);
    }

  private:
    // A ladder of stops is keyed like the prices that trigger it: buy stops like asks, sell stops like bids.
    std::int64_t trigger_key(Side side, std::int64_t trigger) const {
        return orders_.book.key_of(opposite(side), trigger);
    }

    /// Mark the stops reached by the price as due, and update the trailing ones.
    LOWLAT_APART void reach_stops(std::int64_t price) {
        Book& book = orders_.book;
        for (const Side side : both_sides) {
            const std::int64_t reached_key = trigger_key(side, price);
            if (unlikely(orders_.store.trailing(book, side).reached(reached_key)))
                reach_with_trailing(side, reached_key);
            const Ladder& stops = book.stops[side];
            while (stops.best() != nil && stops.best_key() <= reached_key) level_due(side);
        }
        for (const Side side : both_sides) {
            TrailingStops trailing = orders_.store.trailing(book, side);
            if (trailing.follows(price)) trailing.follow(price, ++book.stop_moments);
        }
    }

    /// Mark all orders of the best level as due.
    void level_due(Side side) {
        const Ladder& stops = orders_.book.stops[side];
        const std::int64_t key = stops.best_key();
        const Handle reached_level = stops.best();
        for (std::uint32_t left = orders_.level(reached_level).order_count; left > 0; --left)
            become_due(orders_.next(reached_level), key);
    }

    /// The same one by one, until no trailing stop is reached: at one trigger, the first that came to it is the first.
    void reach_with_trailing(Side side, std::int64_t reached_key) {
        const Ladder& stops = orders_.book.stops[side];
        TrailingStops trailing = orders_.store.trailing(orders_.book, side);
        while (trailing.reached(reached_key)) {
            std::int64_t key = trailing.best_key();
            Handle first = nil;
            if (stops.best() != nil && stops.best_key() <= key) first = orders_.next(stops.best());
            if (first == nil || stops.best_key() == key) {
                const Handle trails = trailing.first_at(key);
                if (first == nil || trailing.since(trails) < since(first)) first = trails;
            } else {
                key = stops.best_key();
            }
            become_due(first, key);
        }
    }

    /// When a stop that does not trail came to its trigger.
    std::uint64_t since(Handle handle) const { return static_cast<std::uint64_t>(orders_.attributes(handle).anchor); }

    void become_due(Handle handle, std::int64_t key) {
        const Side side = orders_[handle].side;
        orders_.dequeue_waiting(handle);
        orders_.store.set_anchor(handle, orders_.book.price_of(opposite(side), key));
        orders_.store.append(orders_.book.due, handle);
    }

    BookOrders orders_;
};

}  // namespace lowlat
