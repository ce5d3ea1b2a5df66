// What trades in the simple engine, and what follows from it: every rule of matching as a search from the front.
// Whether an order would trade is found by letting it, in a copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/records.hpp"
#include "engine/native/settings.hpp"
#include "tests/fuzz/native/simple_order.hpp"

namespace lowlat::fuzz {

/// What is wrong on purpose, in the simple engine or in what is heard of the other: a fuzzer that works finds it.
enum class Fault { none, last_in_first_out, refill_keeps_place, event_lost };

class SimpleMarket {
  protected:
    using Order = SimpleOrder;
    using Book = SimpleBook;

    SimpleMarket(const Settings& settings, Fault fault)
        : rules_(settings.symbols), books_(rules_.size()), fault_(fault) {}

    // -- matching -------------------------------------------------------------------------------------------------

    /// Trade as far as the order's rules let it; then rest, or be gone.
    void arrive(Order order) {
        if (!order.all_or_none() || would_trade(order)) trade(order);
        if (order.left == 0) return;
        if (order.may_rest()) {
            order.slice = order.display == 0 ? order.left : std::min(order.display, order.left);
            books_[order.symbol].resting.push_back(order);
        } else {
            tell_gone(order, order.limited() ? Reason::ioc_remainder : Reason::market_remainder);
        }
    }

    void trade(Order& taker) {
        Book& book = books_[taker.symbol];
        while (taker.left != 0) {
            const auto maker = next_maker(book, taker);
            if (maker == book.resting.end()) return;
            const std::int64_t quantity = std::min(taker.left, maker->slice);
            const bool own = taker.owner != 0 && taker.owner == maker->owner;
            switch (own ? taker.self_trade : SelfTrade::none) {
                case SelfTrade::cancel_incoming:
                    tell_gone(taker, Reason::self_trade);
                    taker.left = 0;
                    return;
                case SelfTrade::cancel_both:
                case SelfTrade::cancel_resting:
                    tell_gone(*maker, Reason::self_trade);
                    maker->left = 0;
                    break;
                case SelfTrade::decrement:
                    take(*maker, quantity);
                    take(taker, quantity);
                    tell(EventKind::reduced, *maker, maker->price, quantity, Reason::self_trade);
                    tell(EventKind::reduced, taker, taker.price, quantity, Reason::self_trade);
                    break;
                default:
                    take(*maker, quantity);
                    take(taker, quantity);
                    tell(EventKind::trade, taker, maker->price, quantity);
                    events_.back().maker_id = maker->id;
                    events_.back().maker_remaining = static_cast<std::uint32_t>(maker->left);
                    events_.back().trade_id = ++trades_;
                    print(book, maker->price);
            }
            if (own && taker.self_trade == SelfTrade::cancel_both) {
                tell_gone(taker, Reason::self_trade);
                taker.left = 0;
            }
            requeue(book, maker);
        }
    }

    static void take(Order& order, std::int64_t quantity) {
        order.left -= quantity;
        order.slice -= quantity;
    }

    /// After a maker was met: it is gone, or shows its next slice at the back, or stays.
    void requeue(Book& book, std::vector<Order>::iterator maker) {
        if (maker->left != 0 && maker->slice != 0) return;
        Order order = *maker;
        const auto behind = book.resting.erase(maker);
        if (order.left == 0) return;
        order.slice = std::min(order.display, order.left);
        tell(EventKind::refilled, order, order.price, order.slice);
        book.resting.insert(fault_ == Fault::refill_keeps_place ? behind : book.resting.end(), order);
    }

    /// Whom an incoming order meets first: the best price, then the oldest. Who is too large to trade whole is not met.
    std::vector<Order>::iterator next_maker(Book& book, const Order& taker) const {
        auto best = book.resting.end();
        for (auto at = book.resting.begin(); at != book.resting.end(); ++at) {
            if (!taker.reaches(*at) || (at->all_or_none() && at->left > taker.left)) continue;
            const bool better = best == book.resting.end() || before(at->side, at->price, best->price);
            const bool younger = best != book.resting.end() && at->price == best->price;
            if (better || (younger && fault_ == Fault::last_in_first_out)) best = at;
        }
        return best;
    }

    /// Whether an order of `side` at a price trades before one at another.
    static bool before(std::uint8_t side, std::int64_t price, std::int64_t other) {
        return side == 0 ? price > other : price < other;
    }

    /// Whether an order would trade on arrival: at all, or whole where it must be.
    bool would_trade(Order order) const {
        const std::int64_t asked = order.left;
        SimpleMarket trial = *this;
        trial.events_.clear();
        trial.trade(order);
        std::int64_t traded = 0;
        for (const Event& event : trial.events_) traded += event.kind == EventKind::trade ? event.quantity : 0;
        return order.whole_or_not() ? traded == asked : traded != 0;
    }

    // -- what follows from a command ------------------------------------------------------------------------------

    /// Carry out stops that are due, then all-or-none orders that can trade, until there are none of either.
    void settle(std::uint32_t symbol) {
        Book& book = books_[symbol];
        for (;;) {
            if (!book.due.empty()) {
                const Order stop = book.due.front();
                book.due.erase(book.due.begin());
                tell(EventKind::triggered, stop, stop.trigger, stop.left);
                arrive(stop);
            } else if (const Order* found = fillable(book); found != nullptr) {
                const Order order = *found;
                erase(*found);
                tell(EventKind::triggered, order, order.price, order.left);
                arrive(order);
            } else {
                return;
            }
        }
    }

    /// The first all-or-none order that can trade whole: bids before asks, then by price and time.
    const Order* fillable(const Book& book) const {
        const Order* first = nullptr;
        for (const Order& order : book.resting) {
            const bool sooner = first == nullptr || order.side < first->side ||
                                (order.side == first->side && before(order.side, order.price, first->price));
            if (!order.all_or_none() || !sooner) continue;
            if (would_trade(order)) first = &order;
        }
        return first;
    }

    /// A trade has set the last price: stops become due, and trailing ones follow it.
    void print(Book& book, std::int64_t last) {
        book.last = last;
        std::sort(book.waiting.begin(), book.waiting.end(), [](const Order& one, const Order& other) {
            if (one.side != other.side) return one.side < other.side;
            if (one.trigger != other.trigger) return before(one.side ^ 1, one.trigger, other.trigger);
            return one.age < other.age;
        });
        for (const Order& stop : book.waiting)
            if (stop.reached_by(last)) book.due.push_back(stop);
        std::erase_if(book.waiting, [&](const Order& stop) { return stop.reached_by(last); });
        std::sort(book.waiting.begin(), book.waiting.end(),
                  [](const Order& one, const Order& other) { return one.accepted < other.accepted; });
        for (Order& stop : book.waiting) {
            if (stop.kind != Kind::trailing_stop || !before(stop.side ^ 1, last, stop.best_trade)) continue;
            stop.best_trade = last;
            const std::int64_t trigger = trailing_trigger(stop);
            if (trigger != stop.trigger) stop.age = ++ages_;
            stop.trigger = trigger;
        }
    }

    /// The trigger that a trailing stop has with its best trade.
    std::int64_t trailing_trigger(const Order& stop) const {
        const std::int64_t tick = rules_[stop.symbol].tick;
        std::int64_t distance = stop.distance;
        if (stop.in_basis_points()) {
            const std::int64_t magnitude = stop.best_trade < 0 ? -stop.best_trade : stop.best_trade;
            distance = std::max(magnitude * distance / 10'000 / tick * tick, tick);
        }
        return stop.best_trade + (stop.side == 0 ? distance : -distance);
    }

    // -- events ---------------------------------------------------------------------------------------------------

    void tell(EventKind kind, const Order& order, std::int64_t price, std::int64_t quantity,
              Reason reason = Reason::none) {
        tell_of_command(kind, reason);
        Event& event = events_.back();
        event.order_id = order.id;
        event.price = price;
        event.quantity = static_cast<std::uint32_t>(quantity);
        event.remaining = static_cast<std::uint32_t>(order.left);
        event.symbol = order.symbol;
        event.side = order.side;
    }

    void tell_gone(const Order& order, Reason reason) {
        tell(EventKind::cancelled, order, order.price, order.left, reason);
        events_.back().remaining = 0;
    }

    void tell_of_command(EventKind kind, Reason reason) {
        Event event{};
        event.sequence = sequence_;
        event.order_id = command_.order_id;
        event.symbol = command_.symbol;
        event.kind = kind;
        event.reason = reason;
        event.command = command_.kind;
        events_.push_back(event);
    }

    // -- orders ---------------------------------------------------------------------------------------------------

    void erase(const Order& order) {
        const std::uint64_t id = order.id;
        Book& book = books_[order.symbol];
        for (std::vector<Order>* orders : {&book.resting, &book.waiting})
            std::erase_if(*orders, [&](const Order& other) { return other.id == id; });
    }

    std::vector<Rules> rules_;
    std::vector<Book> books_;
    Fault fault_;
    WideCommand command_{};
    std::vector<Event> events_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
    std::uint64_t ages_ = 0;
};

}  // namespace lowlat::fuzz
