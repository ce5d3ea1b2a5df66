// Matching in the simple engine: every rule is a search from the front. Whether an order would trade is found by
// letting it trade in a copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"
#include "tests/fuzz/native/simple_order.hpp"

namespace lowlat::fuzz {

/// A planted fault, in the simple engine or in the events of the other one, which a working fuzzer finds.
enum class Fault { none, last_in_first_out, refill_keeps_place, event_lost };

class SimpleMarket {
  protected:
    using Order = SimpleOrder;
    using Book = SimpleBook;
    using Place = std::vector<Order>::iterator;

    SimpleMarket(const EngineConfig& settings, Fault fault)
        : rules_(settings.symbols), books_(rules_.size()), fault_(fault) {}

    // -- matching -------------------------------------------------------------------------------------------------

    /// Trade as far as the order's rules allow; then rest it or cancel the remainder.
    void arrive(Order order) {
        Book& book = books_[order.symbol];
        const bool open = book.phase == TradingPhase::continuous;
        if (open && (!order.all_or_none() || would_trade(order))) trade(order);
        if (order.left == 0) return;
        if (order.may_rest()) {
            order.slice = order.display_quantity == 0 ? order.left : std::min(order.display_quantity, order.left);
            book.resting.push_back(order);
        } else {
            tell_gone(order, order.limited() ? Reason::ioc_remainder : Reason::market_remainder);
        }
    }

    /// Whether an order would trade on arrival: at all, or whole if it must.
    bool would_trade(Order order) const {
        const std::int64_t asked = order.left;
        SimpleMarket trial = *this;
        trial.events_.clear();
        trial.met_own_ = trial.met_other_ = false;
        trial.trade(order);
        std::int64_t traded = 0;
        for (const Event& event : trial.events_) traded += event.kind == ExecType::trade ? event.quantity : 0;
        return order.whole_or_not() ? traded == asked && !trial.met_own_ : trial.met_other_;
    }

    void trade(Order& taker) {
        Book& book = books_[taker.symbol];
        while (taker.left != 0) {
            const Place maker = next_maker(book, taker);
            if (maker == book.resting.end()) return;
            if (rules_[taker.symbol].algorithm == MatchAlgorithm::pro_rata) {
                share_level(book, taker, maker->price);
            } else {
                meet(book, taker, maker);
            }
        }
    }

    /// The first order that an incoming one meets: best price, then oldest. All-or-none orders too large are not met.
    Place next_maker(Book& book, const Order& taker) const {
        Place best = book.resting.end();
        for (Place at = book.resting.begin(); at != book.resting.end(); ++at) {
            if (!taker.reaches(*at) || (at->all_or_none() && at->left > taker.left)) continue;
            const bool better = best == book.resting.end() || before(at->side, at->price, best->price);
            const bool younger = best != book.resting.end() && at->price == best->price;
            if (better || (younger && fault_ == Fault::last_in_first_out)) best = at;
        }
        return best;
    }

    void meet(Book& book, Order& taker, Place maker) {
        const SelfTradePrevention policy = taker.policy_toward(*maker);
        (policy == SelfTradePrevention::none ? met_other_ : met_own_) |= policy != SelfTradePrevention::cancel_resting;
        if (policy == SelfTradePrevention::cancel_resting || policy == SelfTradePrevention::cancel_both)
            cancel_own(book, maker);
        if (policy == SelfTradePrevention::cancel_aggressing || policy == SelfTradePrevention::cancel_both)
            cancel_aggressing(taker);
        if (policy == SelfTradePrevention::none || policy == SelfTradePrevention::decrement)
            exchange(book, taker, maker, std::min(taker.left, maker->slice));
    }

    /// Share the incoming quantity once among the slices of a pro-rata level.
    void share_level(Book& book, Order& taker, std::int64_t price) {
        std::vector<std::uint64_t> own;
        std::vector<std::uint64_t> sharing;
        for (const Order& maker : book.resting) {
            if (!taker.reaches(maker) || maker.price != price) continue;
            const SelfTradePrevention policy = taker.policy_toward(maker);
            if (policy != SelfTradePrevention::none) own.push_back(maker.id);
            if (policy == SelfTradePrevention::none || policy == SelfTradePrevention::decrement)
                sharing.push_back(maker.id);
            (policy == SelfTradePrevention::none ? met_other_ : met_own_) |=
                policy != SelfTradePrevention::cancel_resting;
        }
        if (taker.self_trade == SelfTradePrevention::cancel_resting)
            for (const std::uint64_t id : own) cancel_own(book, place(book, id));
        const std::vector<std::int64_t> shares = shares_of(book, sharing, taker.left, rules_[taker.symbol].lot);
        for (std::size_t at = 0; at != sharing.size(); ++at)
            if (shares[at] != 0) exchange(book, taker, place(book, sharing[at]), shares[at]);
        const bool both = taker.self_trade == SelfTradePrevention::cancel_both;
        if (own.empty() || taker.left == 0 || (!both && taker.self_trade != SelfTradePrevention::cancel_aggressing))
            return;
        if (both)
            for (const std::uint64_t id : own) cancel_own(book, place(book, id));
        cancel_aggressing(taker);
    }

    /// Each order's share of a quantity: rounded down to a lot, then one lot each, oldest first.
    static std::vector<std::int64_t> shares_of(Book& book, const std::vector<std::uint64_t>& ids, std::int64_t quantity,
                                               std::int64_t lot) {
        std::int64_t total = 0;
        for (const std::uint64_t id : ids) total += place(book, id)->slice;
        std::vector<std::int64_t> shares;
        std::int64_t over = std::min(quantity, total);
        for (const std::uint64_t id : ids) {
            const std::int64_t slice = place(book, id)->slice;
            shares.push_back(quantity >= total ? slice : quantity * slice / total / lot * lot);
            over -= shares.back();
        }
        for (std::size_t at = 0; over != 0; ++at, over -= lot) shares[at] += lot;
        return shares;
    }

    /// Trade with a resting order, or apply self-trade prevention.
    void exchange(Book& book, Order& taker, Place maker, std::int64_t quantity) {
        for (Order* order : {&taker, &*maker}) {
            order->left -= quantity;
            order->slice -= quantity;
        }
        if (taker.policy_toward(*maker) == SelfTradePrevention::decrement) {
            tell(ExecType::reduced, *maker, maker->price, quantity, Reason::self_trade);
            tell(ExecType::reduced, taker, taker.price, quantity, Reason::self_trade);
        } else {
            tell_trade(book, taker, *maker, maker->price, quantity);
        }
        requeue(book, maker);
    }

    void cancel_own(Book& book, Place maker) {
        tell_gone(*maker, Reason::self_trade);
        book.resting.erase(maker);
    }

    void cancel_aggressing(Order& taker) {
        tell_gone(taker, Reason::self_trade);
        taker.left = 0;
    }

    /// After a maker has traded: remove it, move its next slice to the back, or keep it.
    void requeue(Book& book, Place maker) {
        if (maker->left != 0 && maker->slice != 0) return;
        Order order = *maker;
        const Place behind = book.resting.erase(maker);
        if (order.left == 0) return;
        order.slice = std::min(order.display_quantity, order.left);
        tell(ExecType::refilled, order, order.price, order.slice);
        book.resting.insert(fault_ == Fault::refill_keeps_place ? behind : book.resting.end(), order);
    }

    // -- auction --------------------------------------------------------------------------------------------------

    /// All trades of an auction, at one price; then refill slices.
    void uncross(std::uint32_t symbol) {
        Book& book = books_[symbol];
        const std::optional<std::int64_t> price = auction_price(book, rules_[symbol].tick);
        if (!price) return;
        for (;;) {
            const Place bid = first_auctioned(book, 0, *price);
            const Place ask = first_auctioned(book, 1, *price);
            if (bid == book.resting.end() || ask == book.resting.end()) break;
            const std::int64_t quantity = std::min(bid->left, ask->left);
            for (Order* order : {&*bid, &*ask}) {
                order->left -= quantity;
                order->slice = std::max<std::int64_t>(order->slice - quantity, 0);
            }
            tell_trade(book, *bid, *ask, *price, quantity);
            std::erase_if(book.resting, [](const Order& order) { return order.left == 0; });
        }
        for (const int side : {0, 1}) {
            const auto used_up = [&](const Order& order) { return order.side == side && order.slice == 0; };
            const Place at = std::find_if(book.resting.begin(), book.resting.end(), used_up);
            if (at != book.resting.end()) requeue(book, at);
        }
    }

    /// Maximum volume, then smallest imbalance, then nearest to the last trade, then lowest.
    static std::optional<std::int64_t> auction_price(Book& book, std::int64_t tick) {
        const Place bid = first_auctioned(book, 0, std::numeric_limits<std::int64_t>::min());
        const Place ask = first_auctioned(book, 1, std::numeric_limits<std::int64_t>::max());
        if (bid == book.resting.end() || ask == book.resting.end()) return std::nullopt;
        std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>> candidates;
        for (std::int64_t price = ask->price; price <= bid->price; price += tick) {
            std::int64_t quantity[2] = {0, 0};
            for (const Order& order : book.resting)
                if (!order.all_or_none() && !before(order.side, price, order.price)) quantity[order.side] += order.left;
            candidates.emplace_back(-std::min(quantity[0], quantity[1]), std::abs(quantity[0] - quantity[1]),
                                    book.last ? std::abs(price - *book.last) : 0, price);
        }
        if (candidates.empty()) return std::nullopt;
        return std::get<3>(*std::min_element(candidates.begin(), candidates.end()));
    }

    /// Of a side, the best order that would trade at a price.
    static Place first_auctioned(Book& book, std::uint8_t side, std::int64_t price) {
        Place best = book.resting.end();
        for (Place at = book.resting.begin(); at != book.resting.end(); ++at) {
            if (at->side != side || at->all_or_none() || before(side, price, at->price)) continue;
            if (best == book.resting.end() || before(side, at->price, best->price)) best = at;
        }
        return best;
    }

    // -- what follows from a command ------------------------------------------------------------------------------

    /// Carry out stops that are due, then all-or-none orders that can trade, until there are none of either.
    void settle(std::uint32_t symbol) {
        Book& book = books_[symbol];
        while (book.phase == TradingPhase::continuous) {
            if (!book.due.empty()) {
                const Order stop = book.due.front();
                book.due.erase(book.due.begin());
                tell(ExecType::triggered, stop, stop.trigger, stop.left);
                arrive(stop);
            } else if (const Order* found = fillable(book); found != nullptr) {
                const Order order = *found;
                erase(*found);
                tell(ExecType::triggered, order, order.price, order.left);
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
        std::sort(book.waiting.begin(), book.waiting.end(), met_sooner);
        for (const Order& stop : book.waiting)
            if (stop.reached_by(last)) book.due.push_back(stop);
        std::erase_if(book.waiting, [&](const Order& stop) { return stop.reached_by(last); });
        std::sort(book.waiting.begin(), book.waiting.end(),
                  [](const Order& one, const Order& other) { return one.accepted < other.accepted; });
        for (Order& stop : book.waiting) {
            if (stop.kind != CommandType::trailing_stop || !before(stop.side ^ 1, last, stop.best_trade)) continue;
            stop.best_trade = last;
            const std::int64_t trigger = trailing_trigger(stop);
            if (trigger != stop.trigger) stop.age = ++ages_;
            stop.trigger = trigger;
        }
    }

    /// Which of two stops a price meets first that moves their way; buys before sells.
    static bool met_sooner(const Order& one, const Order& other) {
        if (one.side != other.side) return one.side < other.side;
        if (one.trigger != other.trigger) return before(one.side ^ 1, one.trigger, other.trigger);
        return one.age < other.age;
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

    void tell(ExecType kind, const Order& order, std::int64_t price, std::int64_t quantity,
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
        tell(ExecType::cancelled, order, order.price, order.left, reason);
        events_.back().remaining = 0;
    }

    void tell_trade(Book& book, const Order& taker, const Order& maker, std::int64_t price, std::int64_t quantity) {
        tell(ExecType::trade, taker, price, quantity);
        events_.back().maker_id = maker.id;
        events_.back().maker_remaining = static_cast<std::uint32_t>(maker.left);
        events_.back().trade_id = ++trades_;
        print(book, price);
    }

    void tell_of_command(ExecType kind, Reason reason) {
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

    /// Whether an order of `side` at a price trades before one at another.
    static bool before(std::uint8_t side, std::int64_t price, std::int64_t other) {
        return side == 0 ? price > other : price < other;
    }

    static Place place(Book& book, std::uint64_t id) {
        return std::find_if(book.resting.begin(), book.resting.end(),
                            [&](const Order& order) { return order.id == id; });
    }

    void erase(const Order& order) {
        const std::uint64_t id = order.id;
        Book& book = books_[order.symbol];
        for (std::vector<Order>* orders : {&book.resting, &book.waiting})
            std::erase_if(*orders, [&](const Order& other) { return other.id == id; });
    }

    std::vector<SymbolRules> rules_;
    std::vector<Book> books_;
    Fault fault_;
    ExtendedCommand command_{};
    std::vector<Event> events_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
    std::uint64_t ages_ = 0;
    // In a trial: whether prevention would end or decrement the order somewhere, and whether it would trade somewhere.
    bool met_own_ = false;
    bool met_other_ = false;
};

}  // namespace lowlat::fuzz
