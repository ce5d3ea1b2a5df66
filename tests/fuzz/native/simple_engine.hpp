// A second engine, as simple as possible, written from docs/matching.md alone. It shares only the records with the
// engine, no code. (It keeps no tape, so it never rejects a command because the tape is full.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"
#include "tests/fuzz/native/simple_market.hpp"
#include "tests/fuzz/native/simple_order.hpp"

namespace lowlat::fuzz {

class SimpleEngine : private SimpleMarket {
  public:
    SimpleEngine(const EngineConfig& settings, Fault fault) : SimpleMarket(settings, fault), orders_(settings.orders) {}

    std::vector<Event> execute(const ExtendedCommand& command) {
        events_.clear();
        command_ = command;
        if (const Reason reason = run(); reason != Reason::none) {
            tell_of_command(ExecType::rejected, reason);
            events_.back().price = command.price;
            events_.back().side = command.side;
        } else if (command.kind != CommandType::advance_time) {
            settle(command.symbol);
        }
        ++sequence_;
        return events_;
    }

  private:
    Reason run() {
        if (command_.kind < CommandType::limit || command_.kind > CommandType::phase) return Reason::unknown_kind;
        if (command_.symbol >= books_.size()) return Reason::unknown_symbol;
        switch (command_.kind) {
            case CommandType::cancel:
                return cancel();
            case CommandType::reduce:
                return reduce();
            case CommandType::replace:
                return replace();
            case CommandType::advance_time:
                return advance_clock();
            case CommandType::phase:
                return enter_phase();
            default:
                return enter();
        }
    }

    // -- commands -------------------------------------------------------------------------------------------------

    Reason enter() {
        Order order = asked();
        if (const Reason reason = form_wrong(order); reason != Reason::none) return reason;
        if (!accepted_now(order)) return Reason::not_in_this_phase;
        if (find(order.id) != nullptr) return Reason::duplicate_order_id;
        if (const Reason reason = order.stop() ? start_stop(order) : Reason::none; reason != Reason::none)
            return reason;
        if ((order.stop() || order.may_rest()) && live() == orders_) return Reason::order_pool_full;
        if (!order.stop() && book().phase == TradingPhase::continuous) {
            if (order.time_in_force == TimeInForce::fok && !would_trade(order)) return Reason::fok_not_fillable;
            if (order.post_only() && would_trade(order) && !(order.slide() && slid(order)))
                return Reason::post_only_would_trade;
        }
        tell(ExecType::accepted, order, order.price, order.left);
        if (order.stop()) {
            book().waiting.push_back(order);
        } else {
            arrive(order);
        }
        return Reason::none;
    }

    Reason cancel() {
        const Order* order = find(command_.order_id);
        if (order == nullptr) return Reason::unknown_order_id;
        tell_gone(*order, Reason::requested);
        erase(*order);
        return Reason::none;
    }

    Reason reduce() {
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        Order* order = find(command_.order_id);
        if (order == nullptr) return Reason::unknown_order_id;
        if (command_.quantity > order->left) return Reason::reduce_exceeds_remaining;
        order->left -= command_.quantity;
        order->slice = std::min(order->slice, order->left);
        tell(ExecType::reduced, *order, order->price, command_.quantity);
        if (order->left == 0) erase(*order);
        return Reason::none;
    }

    Reason replace() {
        Order* old = find(command_.order_id);
        const std::int64_t price = rounded(command_.price, old == nullptr ? 0 : old->side);
        if (command_.time_in_force != 0) return Reason::unknown_time_in_force;
        if (command_.flags > flag_post_only) return Reason::unknown_flag;
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        if (const Reason reason = price_wrong(price); reason != Reason::none) return reason;
        const bool terms = command_.trigger != 0 || command_.expiry != 0 || command_.display_quantity != 0 ||
                           command_.participant_id != 0 || command_.self_trade != SelfTradePrevention::none;
        if (terms) return Reason::term_not_for_kind;
        const bool call = book().phase == TradingPhase::call && command_.flags != flag_post_only;
        if (book().phase != TradingPhase::continuous && !call) return Reason::not_in_this_phase;
        if (old == nullptr) return Reason::unknown_order_id;
        if (waits(*old)) return Reason::stop_still_waits;
        if (price == old->price && command_.quantity <= old->left) {
            old->left = command_.quantity;
            old->slice = std::min(old->slice, old->left);
            tell(ExecType::replaced, *old, price, old->left);
            return Reason::none;
        }
        Order order = *old;
        order.price = price;
        order.left = command_.quantity;
        if (too_many_slices(order)) return Reason::display_too_small;
        if (command_.flags == flag_post_only && would_trade(order)) return Reason::post_only_would_trade;
        tell(ExecType::replaced, order, price, order.left);
        erase(*old);
        arrive(order);
        return Reason::none;
    }

    Reason advance_clock() {
        if (command_.quantity < 0 || static_cast<std::uint64_t>(command_.quantity) < clock_)
            return Reason::clock_backwards;
        clock_ = static_cast<std::uint64_t>(command_.quantity);
        tell_of_command(ExecType::accepted, Reason::none);
        while (const Order* order = first_expired()) {
            const std::uint32_t symbol = order->symbol;
            tell_gone(*order, Reason::expired);
            erase(*order);
            settle(symbol);
        }
        return Reason::none;
    }

    Reason enter_phase() {
        if (command_.quantity < 0 || command_.quantity > 3) return Reason::unknown_phase;
        book().phase = TradingPhase{static_cast<std::uint8_t>(command_.quantity)};
        tell_of_command(ExecType::accepted, Reason::none);
        if (book().phase == TradingPhase::continuous) uncross(command_.symbol);
        if (book().phase == TradingPhase::closed) end_day();
        return Reason::none;
    }

    void end_day() {
        std::vector<Order> resting = book().resting;
        std::stable_sort(resting.begin(), resting.end(), [](const Order& one, const Order& other) {
            return one.side != other.side ? one.side < other.side : before(one.side, one.price, other.price);
        });
        std::vector<Order> waiting = book().waiting;
        std::sort(waiting.begin(), waiting.end(), met_sooner);
        for (const std::vector<Order>* orders : {&resting, &waiting}) {
            for (const Order& order : *orders) {
                if (order.time_in_force != TimeInForce::day) continue;
                tell_gone(order, Reason::expired);
                erase(order);
            }
        }
    }

    const Order* first_expired() const {
        const Order* first = nullptr;
        for (const Book& book : books_) {
            for (const std::vector<Order>* orders : {&book.resting, &book.waiting}) {
                for (const Order& order : *orders) {
                    if (order.time_in_force != TimeInForce::gtd || order.expiry > clock_) continue;
                    if (first == nullptr ||
                        std::tie(order.expiry, order.accepted) < std::tie(first->expiry, first->accepted))
                        first = &order;
                }
            }
        }
        return first;
    }

    /// Put the order one tick behind the best of the other side. False if no order may be there.
    bool slid(Order& order) {
        const Order* best = nullptr;
        for (const Order& other : book().resting) {
            if (other.side == order.side) continue;
            if (best == nullptr || before(other.side, other.price, best->price)) best = &other;
        }
        order.price = best->price + (order.side == 0 ? -rules().tick : rules().tick);
        return price_wrong(order.price) == Reason::none;
    }

    // -- checks ---------------------------------------------------------------------------------------------------

    Order asked() const {
        const bool limited = command_.kind == CommandType::limit || command_.kind == CommandType::stop_limit;
        return {.id = command_.order_id,
                .accepted = sequence_,
                .symbol = command_.symbol,
                .kind = command_.kind,
                .time_in_force = TimeInForce{command_.time_in_force},
                .side = command_.side,
                .flags = command_.flags,
                .participant_id = command_.participant_id,
                .self_trade = command_.self_trade,
                .expiry = command_.expiry,
                .price = limited ? rounded(command_.price, command_.side) : command_.price,
                .left = command_.quantity,
                .display_quantity = command_.display_quantity,
                .trigger = command_.trigger,
                .distance = command_.trigger};
    }

    /// Checks of an order that do not need the book.
    Reason form_wrong(const Order& order) const {
        const bool resting_limit = order.kind == CommandType::limit && order.may_rest();
        const bool dated = order.time_in_force == TimeInForce::gtd;
        if (order.side > 1) return Reason::unknown_side;
        if (order.time_in_force > TimeInForce::gtd) return Reason::unknown_time_in_force;
        if (order.flags > 15) return Reason::unknown_flag;
        if (const Reason reason = quantity_wrong(); reason != Reason::none) return reason;
        if (!order.limited() && order.price != 0) return Reason::price_on_market_order;
        if (const Reason reason = price_wrong(order.price); order.limited() && reason != Reason::none) return reason;
        if (order.post_only() && !resting_limit) return Reason::post_only_conflict;
        if (order.self_trade > SelfTradePrevention::decrement) return Reason::unknown_self_trade;
        const bool foreign = (order.trigger != 0 && !order.stop()) ||
                             (order.in_basis_points() && order.kind != CommandType::trailing_stop) ||
                             (order.slide() && !order.post_only()) || (order.expiry != 0 && !dated) ||
                             ((order.display_quantity != 0 || order.all_or_none()) && !resting_limit) ||
                             (order.kind == CommandType::market && order.time_in_force >= TimeInForce::day) ||
                             (order.stop() && order.at_once());
        if (foreign) return Reason::term_not_for_kind;
        const bool shared = rules().algorithm == MatchAlgorithm::pro_rata;
        if (order.all_or_none() && (order.display_quantity != 0 || order.post_only() || shared))
            return Reason::terms_conflict;
        if (order.display_quantity > order.left) return Reason::display_too_large;
        if (order.display_quantity % rules().lot != 0) return Reason::quantity_off_lot;
        if (too_many_slices(order)) return Reason::display_too_small;
        if (dated && order.expiry <= clock_) return Reason::expiry_not_ahead;
        return order.stop() ? trigger_wrong(order) : Reason::none;
    }

    bool accepted_now(const Order& order) {
        if (book().phase == TradingPhase::continuous) return true;
        const bool plain_limit =
            order.kind == CommandType::limit && order.may_rest() && !order.post_only() && !order.all_or_none();
        return book().phase == TradingPhase::call && (order.stop() || plain_limit);
    }

    Reason trigger_wrong(const Order& stop) const {
        if (stop.kind != CommandType::trailing_stop) return price_wrong(stop.trigger);
        if (stop.distance <= 0 || (stop.in_basis_points() && stop.distance > 10'000)) return Reason::trail_out_of_range;
        return !stop.in_basis_points() && stop.distance % rules().tick != 0 ? Reason::price_off_tick : Reason::none;
    }

    /// Its initial trigger, checked against the last trade.
    Reason start_stop(Order& stop) {
        const std::optional<std::int64_t> last = book().last;
        stop.age = ++ages_;
        if (stop.kind != CommandType::trailing_stop)
            return last && stop.reached_by(*last) ? Reason::stop_through_market : Reason::none;
        if (!last) return Reason::no_last_trade;
        stop.best_trade = *last;
        stop.trigger = trailing_trigger(stop);
        const bool inside = rules().price_min <= stop.trigger && stop.trigger <= rules().price_max;
        return inside ? Reason::none : Reason::price_outside_band;
    }

    static bool too_many_slices(const Order& order) {
        return order.display_quantity != 0 && (order.left + order.display_quantity - 1) / order.display_quantity > 256;
    }

    Reason quantity_wrong() const {
        if (command_.quantity <= 0) return Reason::quantity_not_positive;
        if (command_.quantity > quantity_max) return Reason::quantity_too_large;
        return command_.quantity % rules().lot != 0 ? Reason::quantity_off_lot : Reason::none;
    }

    Reason price_wrong(std::int64_t price) const {
        if (price % rules().tick != 0) return Reason::price_off_tick;
        const bool inside = rules().price_min <= price && price <= rules().price_max;
        return inside ? Reason::none : Reason::price_outside_band;
    }

    /// The rounded price of an order whose price is off the tick.
    std::int64_t rounded(std::int64_t price, std::uint8_t side) const {
        const std::int64_t past = (price % rules().tick + rules().tick) % rules().tick;
        if (past == 0 || rules().off_tick == TickRounding::reject) return price;
        const std::int64_t ahead = rules().tick - past;
        const bool down = rules().off_tick == TickRounding::nearest && past != ahead ? past < ahead : side == 0;
        return down ? price - past : price + ahead;
    }

    // -- orders ---------------------------------------------------------------------------------------------------

    const SymbolRules& rules() const { return rules_[command_.symbol]; }
    Book& book() { return books_[command_.symbol]; }

    Order* find(std::uint64_t id) {
        for (std::vector<Order>* orders : {&book().resting, &book().waiting})
            for (Order& order : *orders)
                if (order.id == id) return &order;
        return nullptr;
    }

    bool waits(const Order& order) {
        const auto same = [&](const Order& other) { return other.id == order.id; };
        return std::any_of(book().waiting.begin(), book().waiting.end(), same);
    }

    std::size_t live() const {
        std::size_t orders = 0;
        for (const Book& book : books_) orders += book.resting.size() + book.waiting.size();
        return orders;
    }

    std::size_t orders_;
    std::uint64_t clock_ = 0;
};

}  // namespace lowlat::fuzz
