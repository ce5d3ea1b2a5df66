// Stops: triggering by trades, and trailing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/full_path_base.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// The trail distance of a stop, in price units or in basis points of the price.
struct Trail {
    std::int64_t distance;
    std::uint8_t flags;
};

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

    /// Trigger of a trailing stop while the best price since its entry is `anchor`. The result may overflow for a buy
    /// stop (or a negative price): then the caller checks first.
    __int128 trigger_of(Side side, std::int64_t anchor, Trail trail) const {
        const std::int64_t tick = orders_.book.rules.tick;
        __int128 away = trail.distance;
        if ((trail.flags & flag_trail_basis_points) != 0) {
            const __int128 magnitude = anchor < 0 ? -static_cast<__int128>(anchor) : anchor;
            away = std::max<__int128>(magnitude * trail.distance / basis_points_max / tick, 1) * tick;
        }
        return side == Side::buy ? anchor + away : anchor - away;
    }

    /// Queue the command's new stop by its trigger.
    void wait(const ExtendedCommand& command, Handle handle) {
        Book& book = orders_.book;
        const Side side = side_of(command);
        std::int64_t trigger = command.trigger;
        if (command.kind == CommandType::trailing_stop) {
            trigger = static_cast<std::int64_t>(trigger_of(side, book.last, {command.trigger, command.flags}));
            orders_.store.set_anchor(handle, book.last);
            orders_.store.append(book.trailing[side], handle);
        }
        orders_.store.enqueue(book.stops[side], trigger_key(side, trigger), handle);
    }

    /// Stop a waiting order from trailing, before it is removed.
    void stop_trailing(Handle handle) {
        if (orders_.attributes(handle).kind == CommandType::trailing_stop)
            orders_.store.remove(orders_.book.trailing[orders_[handle].side], handle);
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
            const Ladder& stops = book.stops[side];
            while (stops.best() != nil && stops.best_key() <= trigger_key(side, price)) become_due(side);
        }
        for (const Side side : both_sides)
            if (passed(side, book.trailing[side].last, price)) follow(side, price);
    }

    /// Mark all orders of the best level as due.
    void become_due(Side side) {
        Ladder& stops = orders_.book.stops[side];
        const std::int64_t trigger = orders_.book.price_of(opposite(side), stops.best_key());
        const Handle reached_level = stops.best();
        for (std::uint32_t left = orders_.level(reached_level).order_count; left > 0; --left) {
            const Handle handle = orders_.next(reached_level);
            stop_trailing(handle);
            orders_.store.dequeue(stops, handle);
            orders_.store.set_anchor(handle, trigger);
            orders_.store.append(orders_.book.due, handle);
        }
    }

    /// Whether the trailing stop exists and the price is better than its anchor.
    bool passed(Side side, Handle handle, std::int64_t price) const {
        if (handle == nil) return false;
        const std::int64_t anchor = orders_.attributes(handle).anchor;
        return side == Side::buy ? price < anchor : price > anchor;
    }

    /// Only the youngest trailing stops can have an anchor that the price has passed: older ones have seen every price
    /// that the younger have.
    void follow(Side side, std::int64_t price) {
        Handle handle = orders_.book.trailing[side].last;
        while (passed(side, orders_.attributes(handle).prev, price)) handle = orders_.attributes(handle).prev;
        Ladder& stops = orders_.book.stops[side];
        for (; handle != nil; handle = orders_.attributes(handle).next) {
            const OrderAttributes& moved = orders_.attributes(handle);
            orders_.store.set_anchor(handle, price);
            const auto trigger = static_cast<std::int64_t>(trigger_of(side, price, {moved.distance, moved.flags}));
            const std::int64_t key = trigger_key(side, trigger);
            if (key == orders_.level(orders_[handle].level).key) continue;
            orders_.store.dequeue(stops, handle);
            orders_.store.enqueue(stops, key, handle);
        }
    }

    BookOrders orders_;
};

}  // namespace lowlat
