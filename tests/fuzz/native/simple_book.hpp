// A second engine, as simple as it can be, for plain orders in price-time symbols: LIMIT and MARKET with GTC, IOC, FOK
// and POST_ONLY; CANCEL, REDUCE, REPLACE. It shares the records with the engine, and not one line of what it does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "engine/native/records.hpp"
#include "engine/native/settings.hpp"

namespace lowlat::fuzz {

/// Which resting order of a price trades first. The second is wrong on purpose: a fuzzer that works finds it.
enum class Queue { first_in_first_out, last_in_first_out };

class SimpleEngine {
  public:
    SimpleEngine(const Settings& settings, Queue queue)
        : rules_(settings.symbols), orders_(settings.orders), queue_(queue), books_(rules_.size()) {}

    std::vector<Event> execute(const Command& command) {
        events_.clear();
        command_ = command;
        const Reason reason = run();
        if (reason != Reason::none) tell(EventKind::rejected, command.side, command.price, 0, 0, reason);
        ++sequence_;
        return events_;
    }

  private:
    struct Order {
        std::uint64_t id;
        std::uint8_t side;
        std::int64_t price;
        std::int64_t left;
    };
    using Book = std::list<Order>;  // oldest first; a few dozen, so that searching is cheap enough
    using Place = Book::iterator;

    Reason run() {
        if (command_.kind < Kind::limit || command_.kind > Kind::phase) return Reason::unknown_kind;
        if (command_.symbol >= books_.size()) return Reason::unknown_symbol;
        switch (command_.kind) {
            case Kind::cancel:
                return cancel();
            case Kind::reduce:
                return reduce();
            case Kind::replace:
                return replace();
            default:
                return enter();
        }
    }

    Reason enter() {
        const bool market = command_.kind == Kind::market;
        const bool may_rest = !market && tif() == TimeInForce::gtc;
        if (command_.side > 1) return Reason::unknown_side;
        if (tif() > TimeInForce::gtd) return Reason::unknown_time_in_force;
        if (command_.flags > 15) return Reason::unknown_flag;
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        if (market && command_.price != 0) return Reason::price_on_market_order;
        if (const Reason reason = price_wrong(); !market && reason != Reason::none) return reason;
        if (post_only() && !may_rest) return Reason::post_only_conflict;
        if (find() != book().end()) return Reason::duplicate_order_id;
        if (may_rest && live() == orders_) return Reason::order_pool_full;
        Order order{command_.order_id, command_.side, command_.price, command_.quantity};
        if (tif() == TimeInForce::fok && within_reach(order) < order.left) return Reason::fok_not_fillable;
        if (post_only() && within_reach(order) > 0) return Reason::post_only_would_trade;
        tell(EventKind::accepted, order.side, order.price, order.left, order.left, Reason::none);
        trade(order);
        if (order.left == 0) return Reason::none;
        if (may_rest) {
            book().push_back(order);
        } else {
            tell(EventKind::cancelled, order.side, order.price, order.left, 0,
                 market ? Reason::market_remainder : Reason::ioc_remainder);
        }
        return Reason::none;
    }

    Reason cancel() {
        const Place at = find();
        if (at == book().end()) return Reason::unknown_order_id;
        tell(EventKind::cancelled, at->side, at->price, at->left, 0, Reason::requested);
        book().erase(at);
        return Reason::none;
    }

    Reason reduce() {
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        const Place at = find();
        if (at == book().end()) return Reason::unknown_order_id;
        if (command_.quantity > at->left) return Reason::reduce_exceeds_remaining;
        at->left -= command_.quantity;
        tell(EventKind::reduced, at->side, at->price, command_.quantity, at->left, Reason::none);
        if (at->left == 0) book().erase(at);
        return Reason::none;
    }

    Reason replace() {
        if (tif() != TimeInForce::gtc) return Reason::unknown_time_in_force;
        if (command_.flags > flag_post_only) return Reason::unknown_flag;
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        if (const Reason reason = price_wrong(); reason != Reason::none) return reason;
        const Place at = find();
        if (at == book().end()) return Reason::unknown_order_id;
        const bool keeps_place = command_.price == at->price && command_.quantity <= at->left;
        Order order{at->id, at->side, command_.price, command_.quantity};
        if (!keeps_place && post_only() && within_reach(order) > 0) return Reason::post_only_would_trade;
        tell(EventKind::replaced, order.side, order.price, order.left, order.left, Reason::none);
        if (keeps_place) {
            at->left = order.left;
            return Reason::none;
        }
        book().erase(at);
        trade(order);
        if (order.left != 0) book().push_back(order);
        return Reason::none;
    }

    void trade(Order& taker) {
        while (taker.left != 0) {
            const Place maker = next_maker(taker);
            if (maker == book().end()) return;
            const std::int64_t quantity = std::min(taker.left, maker->left);
            taker.left -= quantity;
            maker->left -= quantity;
            tell(EventKind::trade, taker.side, maker->price, quantity, taker.left, Reason::none);
            Event& event = events_.back();
            event.maker_id = maker->id;
            event.maker_remaining = static_cast<std::uint32_t>(maker->left);
            event.trade_id = ++trades_;
            if (maker->left == 0) book().erase(maker);
        }
    }

    /// The order that an incoming one meets first: the best price, then the oldest.
    Place next_maker(const Order& taker) {
        Place best = book().end();
        for (Place at = book().begin(); at != book().end(); ++at) {
            if (!reaches(taker, *at)) continue;
            const bool better =
                best == book().end() || (taker.side == 0 ? at->price < best->price : at->price > best->price);
            const bool younger = best != book().end() && at->price == best->price;
            if (better || (younger && queue_ == Queue::last_in_first_out)) best = at;
        }
        return best;
    }

    std::int64_t within_reach(const Order& taker) {
        std::int64_t quantity = 0;
        for (const Order& maker : book()) quantity += reaches(taker, maker) ? maker.left : 0;
        return quantity;
    }

    bool reaches(const Order& taker, const Order& maker) const {
        if (taker.side == maker.side) return false;
        if (command_.kind == Kind::market) return true;
        return taker.side == 0 ? taker.price >= maker.price : taker.price <= maker.price;
    }

    Reason quantity_wrong() const {
        if (command_.quantity <= 0) return Reason::quantity_not_positive;
        if (command_.quantity > quantity_max) return Reason::quantity_too_large;
        return command_.quantity % rules().lot != 0 ? Reason::quantity_off_lot : Reason::none;
    }

    Reason price_wrong() const {
        if (command_.price % rules().tick != 0) return Reason::price_off_tick;
        const bool inside = rules().price_min <= command_.price && command_.price <= rules().price_max;
        return inside ? Reason::none : Reason::price_outside_band;
    }

    void tell(EventKind kind, std::uint8_t side, std::int64_t price, std::int64_t quantity, std::int64_t remaining,
              Reason reason) {
        Event event{};
        event.sequence = sequence_;
        event.order_id = command_.order_id;
        event.price = price;
        event.quantity = static_cast<std::uint32_t>(quantity);
        event.remaining = static_cast<std::uint32_t>(remaining);
        event.symbol = command_.symbol;
        event.kind = kind;
        event.side = side;
        event.reason = reason;
        event.command = command_.kind;
        events_.push_back(event);
    }

    TimeInForce tif() const { return TimeInForce{command_.time_in_force}; }
    bool post_only() const { return (command_.flags & flag_post_only) != 0; }
    const Rules& rules() const { return rules_[command_.symbol]; }
    Book& book() { return books_[command_.symbol]; }
    Place find() {
        return std::find_if(book().begin(), book().end(), [&](const Order& o) { return o.id == command_.order_id; });
    }
    std::size_t live() const {
        std::size_t orders = 0;
        for (const Book& book : books_) orders += book.size();
        return orders;
    }

    std::vector<Rules> rules_;
    std::size_t orders_;
    Queue queue_;
    std::vector<Book> books_;
    Command command_{};
    std::vector<Event> events_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
};

}  // namespace lowlat::fuzz
