// The full path, for commands that the simple path (matcher.hpp) does not handle: orders with attributes, and all
// commands in a book that holds some. docs/matching.md specifies each command.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "engine/native/matching/full_path_auction.hpp"
#include "engine/native/matching/full_path_settlement.hpp"
#include "engine/native/matching/index_policy.hpp"
#include "engine/native/matching/validation.hpp"
#include "engine/native/matching/waiting_stops.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Executes one command, from its checks to its consequences. Owns the matching, which owns the stops that trades
/// trigger. A FullPath is constructed per command, so the auction and the settlement are constructed only where needed.
template <typename Sink>
class FullPath {
  public:
    FullPath(OrderStore& store, std::uint32_t symbol, CommandType command, Sink& sink)
        : matching_(CommandContext<Sink>(BookOrders(store, symbol), command, sink)) {}

    void execute(const ExtendedCommand& command) {
        tend_index(store(), book());
        switch (command.kind) {
            case CommandType::cancel:
                return cancel(command);
            case CommandType::reduce:
                return reduce(command);
            case CommandType::replace:
                return replace(command);
            case CommandType::advance_time:
                return advance_time(command);
            case CommandType::phase:
                return set_phase(command);
            default:
                return enter(command);
        }
    }

  private:
    CommandContext<Sink>& context() { return matching_.context(); }
    BookOrders& orders() { return context().orders(); }
    OrderStore& store() { return orders().store; }
    Book& book() { return orders().book; }
    Stops& stops() { return context().stops; }
    Auction<Sink> auction() { return Auction<Sink>(matching_); }
    Settlement<Sink> settlement() { return Settlement<Sink>(matching_); }

    // -- orders -----------------------------------------------------------------------------------------------------

    void enter(const ExtendedCommand& command) {
        std::int64_t price = command.price;
        if (const Reason reason = check_enter(command, price); reason != Reason::none) return reject(command, reason);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        context().emit({.kind = ExecType::accepted,
                        .id = command.order_id,
                        .side = command.side,
                        .price = price,
                        .quantity = quantity,
                        .remaining = quantity});
        if (is_stop(command)) {
            wait(command, price);
            return settlement().settle();  // no trade, but the tape may have been drained since
        }
        Taker taker = taker_of(command, price);
        if (book().phase == TradingPhase::continuous && matching_.reaches(taker) &&
            (!is_all_or_none(command) || matching_.dry_run().fills(taker)))
            matching_.match(taker);
        if (taker.left != 0) {
            if (rests_with_attributes(command)) {
                rest(command, price, taker.left);
            } else {
                matching_.cancel_rest(
                    taker, command.kind == CommandType::limit ? Reason::ioc_remainder : Reason::market_remainder);
            }
        }
        settlement().settle();
    }

    static bool is_all_or_none(const Command& command) { return (command.flags & flag_all_or_none) != 0; }

    Taker taker_of(const ExtendedCommand& command, std::int64_t price) {
        return {.id = command.order_id,
                .price = price,
                .limit_key = matching_.limit_key(command.kind, side_of(command), price),
                .left = static_cast<std::uint32_t>(command.quantity),
                .participant_id = command.self_trade == SelfTradePrevention::none ? 0 : command.participant_id,
                .side = side_of(command),
                .self_trade = command.self_trade};
    }

    static std::uint8_t attribute_bits(const ExtendedCommand& command) {
        unsigned bits = 0;
        if (is(command, TimeInForce::day)) bits |= attribute_day;
        if (is(command, TimeInForce::gtd)) bits |= attribute_gtd;
        if (command.participant_id != 0) bits |= attribute_participant;
        if (command.display_quantity != 0) bits |= attribute_iceberg;
        if (is_all_or_none(command)) bits |= attribute_all_or_none;
        if (is_stop(command)) bits |= attribute_waits;
        return static_cast<std::uint8_t>(bits);
    }

    /// Create a live order for the command, not queued yet.
    LOWLAT_INLINE Handle admit(std::int64_t price, const ExtendedCommand& command, std::uint32_t quantity) {
        const std::uint8_t bits = attribute_bits(command);
        if ((bits & attribute_day) != 0) book().day_orders = true;
        const Handle handle = store().add(book(), {.id = command.order_id,
                                                   .quantity = quantity,
                                                   .level = nil,
                                                   .chained = nil,
                                                   .symbol = static_cast<std::uint16_t>(orders().symbol),
                                                   .side = side_of(command),
                                                   .attributes = bits});
        if ((bits & attributes_stored) != 0)
            store().add_attributes(handle) = {
                .next = nil,
                .prev = nil,
                .price = command.kind == CommandType::trailing_stop ? command.trigger : price,
                .anchor = 0,
                .expiry = command.expiry,
                .accepted = store().sequence(),
                .participant_id = command.participant_id,
                .display_quantity = command.display_quantity,
                .reserve_quantity = 0,
                .place = 0,
                .kind = command.kind,
                .flags = command.flags,
                .self_trade = command.self_trade,
                .pending = 0,
                .chained = nil};
        if (is(command, TimeInForce::gtd)) store().schedule_expiry(handle);
        return handle;
    }

    LOWLAT_INLINE void rest(const ExtendedCommand& command, std::int64_t price, std::uint32_t quantity) {
        const Handle handle = admit(price, command, quantity);
        if (command.display_quantity != 0) store().set_quantity(handle, quantity);
        orders().enqueue(handle, price);
        store().list(handle);
    }

    void wait(const ExtendedCommand& command, std::int64_t price) {
        const Handle handle = admit(price, command, static_cast<std::uint32_t>(command.quantity));
        stops().wait(command, handle);
        store().list(handle);
    }

    // -- changes ----------------------------------------------------------------------------------------------------

    void cancel(const ExtendedCommand& command) {
        const Handle handle = orders().find(command.order_id);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        context().cancel_order(handle, Reason::requested);
        settlement().settle();
    }

    void reduce(const ExtendedCommand& command) {
        if (const Reason reason = check_quantity(command, book()); reason != Reason::none)
            return reject(command, reason);
        const Handle handle = orders().find(command.order_id);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        if (command.quantity > orders().total(handle)) return reject(command, Reason::reduce_exceeds_remaining);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        const OrderUpdate update{.kind = ExecType::reduced,
                                 .id = command.order_id,
                                 .side = byte_of(orders()[handle].side),
                                 .price = orders().limit_of(handle),
                                 .quantity = quantity,
                                 .remaining = orders().total(handle) - quantity};
        if (update.remaining == 0) {
            orders().remove(handle);
        } else {
            shrink(handle, update.remaining);
        }
        context().emit(update);
        settlement().settle();
    }

    /// Reduces an iceberg's hidden quantity first.
    void shrink(Handle handle, std::uint32_t left) {
        if (orders().trails(handle)) return store().set_quantity(handle, left);
        const std::uint32_t shown = std::min(orders()[handle].quantity, left);
        orders().reduce_shown(handle, orders()[handle].quantity - shown);
        if ((orders()[handle].attributes & attribute_iceberg) != 0) orders().set_hidden(handle, left - shown);
    }

    void replace(const ExtendedCommand& command) {
        if (const Reason reason = check_change(command, book()); reason != Reason::none) return reject(command, reason);
        const Handle handle = orders().find(command.order_id);
        const Side side = handle == nil ? Side::buy : orders()[handle].side;
        std::int64_t price = command.price;
        if (const Reason reason = check_limit(command, side, book().rules, price); reason != Reason::none)
            return reject(command, reason);
        if (has_attributes(command)) return reject(command, Reason::term_not_for_kind);
        if (!phase_takes(book().phase, command)) return reject(command, Reason::not_in_this_phase);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        if (orders().waits(handle)) return reject(command, Reason::stop_still_waits);
        if (book().key_of(side, price) == orders().level(orders()[handle].level).key &&
            command.quantity <= orders().total(handle)) {
            shrink(handle, static_cast<std::uint32_t>(command.quantity));
            emit_replaced(command, side, price);
            return settlement().settle();
        }
        come_in_again(command, price, handle);
    }

    void emit_replaced(const ExtendedCommand& command, Side side, std::int64_t price) {
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        context().emit({.kind = ExecType::replaced,
                        .id = command.order_id,
                        .side = byte_of(side),
                        .price = price,
                        .quantity = quantity,
                        .remaining = quantity});
    }

    void come_in_again(const ExtendedCommand& command, std::int64_t price, Handle handle) {
        const Side side = orders()[handle].side;
        if ((orders()[handle].attributes & attribute_iceberg) != 0 &&
            !few_slices(command.quantity, orders().attributes(handle).display_quantity))
            return reject(command, Reason::display_too_small);
        Taker taker = matching_.taker_of(handle, CommandType::limit, price);
        taker.left = static_cast<std::uint32_t>(command.quantity);
        bool trades = book().phase == TradingPhase::continuous && matching_.reaches(taker);
        if (trades) {
            const FullDryRun dry_run = matching_.dry_run();
            trades = !OrderStore::all_or_none(orders()[handle]) || dry_run.fills(taker);
            if (trades && (command.flags & flag_post_only) != 0 && dry_run.meets(taker))
                return reject(command, Reason::post_only_would_trade);
            if (trades && !dry_run.tape_takes(taker)) return reject(command, Reason::trade_pool_full);
        }
        emit_replaced(command, side, price);
        orders().dequeue(handle);
        if (trades) matching_.match(taker);
        if (taker.left != 0) {
            store().set_quantity(handle, taker.left);
            orders().enqueue(handle, price);
        } else {
            orders().release(handle);
        }
        settlement().settle();
    }

    // -- clock and phase --------------------------------------------------------------------------------------------

    void advance_time(const ExtendedCommand& command) {
        if (command.quantity < 0 || static_cast<std::uint64_t>(command.quantity) < store().clock())
            return reject(command, Reason::clock_backwards);
        store().advance_time(static_cast<std::uint64_t>(command.quantity));
        accept(command);
        for (Handle handle = store().next_expired(); handle != nil; handle = store().next_expired()) {
            FullPath its(store(), store().order(handle).symbol, command.kind, context().sink);
            its.context().cancel_order(handle, Reason::expired);
            its.settlement().settle();
        }
    }

    void set_phase(const ExtendedCommand& command) {
        const auto phase = static_cast<TradingPhase>(command.quantity);
        if (!std::in_range<std::uint8_t>(command.quantity) || !known(phase))
            return reject(command, Reason::unknown_phase);
        std::optional<Uncross> crossed;
        if (phase == TradingPhase::continuous) crossed = auction().find_uncross();
        if (crossed && !store().tape_takes(auction().trades_of(*crossed)))
            return reject(command, Reason::trade_pool_full);
        accept(command);
        book().set_phase(phase);
        book().retry = {true, true};
        if (crossed) auction().uncross(*crossed);
        if (phase == TradingPhase::closed) end_day();
        settlement().settle();
    }

    void accept(const ExtendedCommand& command) {
        context().emit(
            {.kind = ExecType::accepted, .id = command.order_id, .side = 0, .price = 0, .quantity = 0, .remaining = 0});
    }

    void end_day() {
        if (!std::exchange(book().day_orders, false)) return;
        for (const Ladder& ladder : book().ladders) end_day(ladder);
        for (const Side side : both_sides)
            for (const WaitingStop& stop : waiting_stops(store(), book(), side))
                if ((orders()[stop.handle].attributes & attribute_day) != 0)
                    context().cancel_order(stop.handle, Reason::expired);
    }

    void end_day(const Ladder& ladder) {
        for (Ladder::Place at{ladder.best_key(), ladder.best()}; at.level != nil; at = ladder.after(at.key)) {
            Handle handle = orders().next(at.level);
            for (std::uint32_t left = orders().level(at.level).order_count; left > 0; --left) {
                const Handle next = orders().next(handle);
                if ((orders()[handle].attributes & attribute_day) != 0) context().cancel_order(handle, Reason::expired);
                handle = next;
            }
        }
    }

    // -- what is refused: the order of these checks is part of the contract -----------------------------------------

    /// Returns the first check that fails. Rounds and slides the price.
    LOWLAT_INLINE Reason check_enter(const ExtendedCommand& command, std::int64_t& price) {
        if (const Reason reason = check_order(command, book(), store().clock(), price); reason != Reason::none)
            return reason;
        if (orders().find(command.order_id) != nil) return Reason::duplicate_order_id;
        if (is_stop(command))
            if (const Reason reason = check_wait(command); reason != Reason::none) return reason;
        const bool stays = rests_with_attributes(command) || is_stop(command);
        const bool full = stays && store().full();
        if (full && store().rejects_when_full()) return Reason::order_pool_full;
        if (book().phase == TradingPhase::continuous && !is_stop(command))
            if (const Reason reason = check_trade(command, price); reason != Reason::none) return reason;
        return full && !store().grow_orders() ? Reason::order_pool_full : Reason::none;
    }

    Reason check_wait(const ExtendedCommand& command) {
        const Side side = side_of(command);
        if (command.kind != CommandType::trailing_stop)
            return stops().reached(side, command.trigger) ? Reason::stop_through_market : Reason::none;
        if (!book().traded) return Reason::no_last_trade;
        const WidePrice trigger = trailing_trigger(book().rules, side, book().last, {command.trigger, command.flags});
        const bool inside = trigger >= book().rules.price_min && trigger <= book().rules.price_max;
        return inside ? Reason::none : Reason::price_outside_band;
    }

    LOWLAT_INLINE Reason check_trade(const ExtendedCommand& command, std::int64_t& price) {
        const bool asks = (command.flags & flag_post_only) != 0 || is(command, TimeInForce::fok);
        if (!asks && !store().tape_rejects()) return Reason::none;
        const Taker taker = taker_of(command, price);
        const FullDryRun dry_run = matching_.dry_run();
        if (is(command, TimeInForce::fok) && !dry_run.fills(taker)) return Reason::fok_not_fillable;
        if ((command.flags & flag_post_only) != 0 && dry_run.meets(taker))
            return (command.flags & flag_price_slide) != 0 && slide(side_of(command), price)
                       ? Reason::none
                       : Reason::post_only_would_trade;
        const bool trades = !is_all_or_none(command) || dry_run.fills(taker);
        return !trades || dry_run.tape_takes(taker) ? Reason::none : Reason::trade_pool_full;
    }

    /// One tick behind the best price of the other side. False if that is outside the band.
    bool slide(Side side, std::int64_t& price) {
        const Side other = opposite(side);
        const std::int64_t best = book().price_of(other, book().ladders[other].best_key());
        const std::int64_t tick = book().rules.tick;
        const bool outside =
            side == Side::buy ? __builtin_sub_overflow(best, tick, &price) : __builtin_add_overflow(best, tick, &price);
        return !outside && price >= book().rules.price_min && price <= book().rules.price_max;
    }

    void reject(const Command& command, Reason reason) {
        store().count_refusal(reason);
        context().emit({.kind = ExecType::rejected,
                        .id = command.order_id,
                        .side = command.side,
                        .price = command.price,
                        .quantity = 0,
                        .remaining = 0,
                        .reason = reason});
    }

    Matching<Sink> matching_;
};

}  // namespace lowlat
