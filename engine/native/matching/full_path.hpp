// The path of commands that the plain one (matcher.hpp) does not take: orders with terms, and whatever is done in a
// book that has some. docs/matching.md states what each does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "engine/native/matching/full_path_auction.hpp"
#include "engine/native/matching/validation.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

template <typename Sink>
class TermsPath : public TermsAuction<Sink> {
    using Base = TermsAuction<Sink>;
    using Base::book_;
    using Base::emit;
    using Base::key_of;
    using Base::level;
    using Base::nodes;
    using Base::order;
    using Base::store_;
    using Base::symbol_;
    using Base::terms;

  public:
    TermsPath(Store& store, std::uint32_t symbol, CommandType command, Sink& sink)
        : Base(store, symbol, command, sink) {}

    void execute(const ExtendedCommand& command) {
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
    // -- orders -----------------------------------------------------------------------------------------------------

    void enter(const ExtendedCommand& command) {
        std::int64_t price = command.price;
        if (const Reason reason = why_not_enter(command, price); reason != Reason::none) return reject(command, reason);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        emit(ExecType::accepted, command.order_id, command.side, price, quantity, quantity);
        if (is_stop(command)) {
            wait(command, price);
            return settle();  // no trade, but the tape may have been emptied since
        }
        Taker taker = taker_of(command, price);
        if (book_.phase == TradingPhase::continuous && this->reaches(taker) &&
            (!is_all_or_none(command) || this->judge(taker).whole))
            this->match(taker);
        if (taker.left != 0) {
            if (rests_with_terms(command)) {
                rest(command, price, taker.left);
            } else {
                emit(ExecType::cancelled, taker.id, taker.side, taker.price, taker.left, 0, remainder(command.kind));
            }
        }
        settle();
    }

    static Reason remainder(CommandType kind) {
        return kind == CommandType::limit ? Reason::ioc_remainder : Reason::market_remainder;
    }
    static bool is_all_or_none(const Command& command) { return (command.flags & flag_all_or_none) != 0; }

    std::int64_t limit_key(CommandType kind, std::uint32_t side, std::int64_t price) const {
        return kind == CommandType::market ? Store::any_key : key_of(side ^ 1U, price);
    }

    Taker taker_of(const ExtendedCommand& command, std::int64_t price) const {
        return {.id = command.order_id,
                .price = price,
                .limit_key = limit_key(command.kind, command.side, price),
                .left = static_cast<std::uint32_t>(command.quantity),
                .participant_id = command.self_trade == SelfTradePrevention::none ? 0 : command.participant_id,
                .side = command.side,
                .self_trade = command.self_trade};
    }

    /// A live order comes in again, with what it was entered with.
    Taker taker_of(Handle handle, CommandType kind, std::int64_t price, std::uint32_t quantity) const {
        const OrderBody& body = order(handle);
        const SelfTradePrevention self_trade = body.kept == nil ? SelfTradePrevention::none : terms(handle).self_trade;
        return {.id = body.id,
                .price = price,
                .limit_key = limit_key(kind, body.side, price),
                .left = quantity,
                .participant_id = self_trade == SelfTradePrevention::none ? 0 : this->participant_id(handle),
                .side = body.side,
                .self_trade = self_trade};
    }

    static std::uint8_t term_bits(const ExtendedCommand& command) {
        unsigned bits = 0;
        if (is(command, TimeInForce::day)) bits |= term_day;
        if (is(command, TimeInForce::gtd)) bits |= term_gtd;
        if (command.participant_id != 0) bits |= term_owner;
        if (command.display_quantity != 0) bits |= term_iceberg;
        if (is_all_or_none(command)) bits |= term_all_or_none;
        if (is_stop(command)) bits |= term_waits;
        return static_cast<std::uint8_t>(bits);
    }

    /// A live order for the command, in no queue yet.
    LOWLAT_INLINE Handle admit(const ExtendedCommand& command, std::int64_t price, std::uint32_t quantity) {
        const Handle handle = nodes().acquire();
        const std::uint8_t bits = term_bits(command);
        order(handle) = {.id = command.order_id,
                         .quantity = quantity,
                         .level = nil,
                         .kept = nil,
                         .symbol = static_cast<std::uint16_t>(symbol_),
                         .side = command.side,
                         .terms = bits};
        if ((bits & terms_kept) != 0) keep_terms(command, price, handle);
        this->note(order(handle), 1);
        ++store_.live_;
        return handle;
    }

    LOWLAT_INLINE void keep_terms(const ExtendedCommand& command, std::int64_t price, Handle handle) {
        const Handle kept = store_.terms_.acquire();
        order(handle).kept = kept;
        store_.terms_[kept] = {.next = nil,
                               .prev = nil,
                               .price = command.kind == CommandType::trailing_stop ? command.trigger : price,
                               .anchor = 0,
                               .expiry = command.expiry,
                               .accepted = store_.sequence_,
                               .participant_id = command.participant_id,
                               .display_quantity = command.display_quantity,
                               .reserve_quantity = 0,
                               .place = 0,
                               .kind = command.kind,
                               .flags = command.flags,
                               .self_trade = command.self_trade,
                               .zero = {}};
        if (is(command, TimeInForce::gtd)) store_.expiries_.push(store_.terms_, handle, kept);
    }

    void list(const Command& command, Handle handle) {
        if (!store_.index_.insert(store_.index_.tag(command.order_id, symbol_), handle)) store_.rebuild_index();
    }

    LOWLAT_INLINE void rest(const ExtendedCommand& command, std::int64_t price, std::uint32_t quantity) {
        const Handle handle = admit(command, price, quantity);
        this->show_slice(handle, quantity);
        store_.queue_up(book_, command.side, key_of(command.side, price), handle);
        list(command, handle);
    }

    void wait(const ExtendedCommand& command, std::int64_t price) {
        const Handle handle = admit(command, price, static_cast<std::uint32_t>(command.quantity));
        std::int64_t trigger = command.trigger;
        if (command.kind == CommandType::trailing_stop) {
            trigger = static_cast<std::int64_t>(this->trail(command.side, book_.last, command.trigger, command.flags));
            terms(handle).anchor = book_.last;
            this->append(book_.trailing[command.side], handle);
        }
        store_.queue_up(book_.stops[command.side], this->trigger_key(command.side, trigger), handle);
        list(command, handle);
    }

    // -- changes ----------------------------------------------------------------------------------------------------

    Handle find(const Command& command) const {
        return store_.find(command.order_id, symbol_, store_.index_.tag(command.order_id, symbol_));
    }

    void take_away(Handle handle, Reason reason) {
        if (this->waits(handle)) this->stop_trailing(handle);
        this->cancel_order(handle, reason);
    }

    void cancel(const ExtendedCommand& command) {
        const Handle handle = find(command);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        take_away(handle, Reason::requested);
        settle();
    }

    void reduce(const ExtendedCommand& command) {
        if (const Reason reason = why_not_quantity(command, book_); reason != Reason::none)
            return reject(command, reason);
        const Handle handle = find(command);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        if (command.quantity > this->total(handle)) return reject(command, Reason::reduce_exceeds_remaining);
        const OrderBody before = order(handle);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        const std::uint32_t left = this->total(handle) - quantity;
        const std::int64_t price = this->limit_of(handle);
        if (left == 0) {
            if (this->waits(handle)) this->stop_trailing(handle);
            this->remove(handle);
        } else {
            shrink(handle, left);
        }
        emit(ExecType::reduced, before.id, before.side, price, quantity, left);
        settle();
    }

    /// What it hides goes first.
    void shrink(Handle handle, std::uint32_t left) {
        OrderBody& body = order(handle);
        const std::uint32_t shown = std::min(body.quantity, left);
        level(body.level).quantity -= body.quantity - shown;
        body.quantity = shown;
        if ((body.terms & term_iceberg) != 0) terms(handle).reserve_quantity = left - shown;
    }

    void replace(const ExtendedCommand& command) {
        if (const Reason reason = why_not_change(command, book_); reason != Reason::none)
            return reject(command, reason);
        const Handle handle = find(command);
        const std::uint32_t side = handle == nil ? 0 : order(handle).side;
        std::int64_t price = command.price;
        if (const Reason reason = why_not_limit(command, side, book_.rules, price); reason != Reason::none)
            return reject(command, reason);
        if (has_terms(command)) return reject(command, Reason::term_not_for_kind);
        if (!phase_takes(book_.phase, command)) return reject(command, Reason::not_in_this_phase);
        if (handle == nil) return reject(command, Reason::unknown_order_id);
        if (this->waits(handle)) return reject(command, Reason::stop_still_waits);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        if (key_of(side, price) == level(order(handle).level).key && quantity <= this->total(handle)) {
            shrink(handle, quantity);
            emit(ExecType::replaced, command.order_id, side, price, quantity, quantity);
            return settle();
        }
        come_in_again(command, price, handle);
    }

    void come_in_again(const ExtendedCommand& command, std::int64_t price, Handle handle) {
        const std::uint32_t side = order(handle).side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        if ((order(handle).terms & term_iceberg) != 0 && !few_slices(command.quantity, terms(handle).display_quantity))
            return reject(command, Reason::display_too_small);
        Taker taker = taker_of(handle, CommandType::limit, price, quantity);
        bool trades = book_.phase == TradingPhase::continuous && this->reaches(taker);
        if (trades) {
            const auto judged = this->judge(taker);
            trades = judged.whole || !Store::all_or_none(order(handle));
            if (trades && (command.flags & flag_post_only) != 0 && judged.records != 0)
                return reject(command, Reason::post_only_would_trade);
            if (trades && !this->tape_takes(judged.records)) return reject(command, Reason::trade_pool_full);
        }
        emit(ExecType::replaced, command.order_id, side, price, quantity, quantity);
        store_.take_out(book_, handle);
        if (trades) this->match(taker);
        if (taker.left != 0) {
            this->show_slice(handle, taker.left);
            store_.queue_up(book_, side, key_of(side, price), handle);
        } else {
            this->forget(handle);
        }
        settle();
    }

    // -- what follows from a command ----------------------------------------------------------------------------------

    LOWLAT_INLINE void settle() {
        if (unlikely(book_.due.first != nil || book_.may_fill())) settle_all();
    }

    /// Stops that are due, one after another, then all-or-none orders that can trade, until there are none.
    LOWLAT_APART void settle_all() {
        if (book_.phase != TradingPhase::continuous) return;
        do {
            while (book_.due.first != nil) carry_out(book_.due.first);
        } while (book_.may_fill() && (fill_one(0) || fill_one(1)));
    }

    void carry_out(Handle handle) {
        this->unlink(book_.due, handle);
        OrderBody& body = order(handle);
        const OrderTerms& stop = terms(handle);
        const bool limited = stop.kind == CommandType::stop_limit;
        emit(ExecType::triggered, body.id, body.side, stop.anchor, body.quantity, body.quantity);
        Taker taker = taker_of(handle, limited ? CommandType::limit : CommandType::market, limited ? stop.price : 0,
                               body.quantity);
        Reason why = Reason::market_remainder;
        if (!this->tape_refuses() || this->tape_takes(this->judge(taker).records)) {
            this->match(taker);
        } else {
            why = Reason::trade_pool_full;
        }
        if (taker.left != 0 && limited && why != Reason::trade_pool_full) {
            this->note(body, -1);
            body.terms = static_cast<std::uint8_t>(body.terms & ~term_waits);
            body.quantity = taker.left;
            store_.queue_up(book_, body.side, key_of(body.side, taker.price), handle);
            return;
        }
        if (taker.left != 0) emit(ExecType::cancelled, taker.id, taker.side, taker.price, taker.left, 0, why);
        this->forget(handle);
    }

    /// The first all-or-none order of a side that can trade whole does. False if none can.
    bool fill_one(std::uint32_t side) {
        if (book_.all_or_none[side] == 0) return false;
        const Handle handle = first_fillable(side);
        if (handle == nil) return false;
        const std::int64_t price = this->limit_of(handle);
        const std::uint32_t quantity = order(handle).quantity;
        emit(ExecType::triggered, order(handle).id, side, price, quantity, quantity);
        Taker taker = taker_of(handle, CommandType::limit, price, quantity);
        store_.take_out(book_, handle);
        this->match(taker);
        this->forget(handle);
        return true;
    }

    Handle first_fillable(std::uint32_t side) const {
        Handle found = nil;
        book_.ladders[side].for_each([&](std::int64_t key, Handle at_price) {
            const std::int64_t price = this->price_of(side, key);
            if (key_of(side ^ 1, price) < book_.ladders[side ^ 1].best_key()) return false;
            for (Handle at = nodes()[at_price].next; at != at_price && found == nil; at = nodes()[at].next) {
                if (!Store::all_or_none(order(at))) continue;
                const auto judged = this->judge(taker_of(at, CommandType::limit, price, order(at).quantity));
                if (judged.whole && this->tape_takes(judged.records)) found = at;
            }
            return found == nil;
        });
        return found;
    }

    // -- clock and phase --------------------------------------------------------------------------------------------

    void advance_time(const ExtendedCommand& command) {
        if (command.quantity < 0 || static_cast<std::uint64_t>(command.quantity) < store_.clock_)
            return reject(command, Reason::clock_backwards);
        store_.clock_ = static_cast<std::uint64_t>(command.quantity);
        emit(ExecType::accepted, command.order_id, 0, 0, 0, 0);
        const Expiries& expiries = store_.expiries_;
        while (expiries.size() != 0 && expiries.top().expiry <= store_.clock_) {
            const Handle handle = expiries.top().order;
            TermsPath its(store_, order(handle).symbol, command.kind, this->sink_);
            its.take_away(handle, Reason::expired);
            its.settle();
        }
    }

    void set_phase(const ExtendedCommand& command) {
        const auto phase = static_cast<TradingPhase>(command.quantity);
        if (!std::in_range<std::uint8_t>(command.quantity) || !known(phase))
            return reject(command, Reason::unknown_phase);
        std::optional<Uncross> crossed;
        if (phase == TradingPhase::continuous) crossed = this->find_uncross();
        if (crossed && !this->tape_takes(this->trades_of(*crossed))) return reject(command, Reason::trade_pool_full);
        emit(ExecType::accepted, command.order_id, 0, 0, 0, 0);
        book_.note((phase == TradingPhase::continuous ? 0 : 1) - (book_.phase == TradingPhase::continuous ? 0 : 1));
        book_.phase = phase;
        if (crossed) this->uncross(*crossed);
        if (phase == TradingPhase::closed) end_day();
        settle();
    }

    void end_day() {
        for (const Ladder& ladder : book_.ladders) end_day(ladder);
        for (const Ladder& ladder : book_.stops) end_day(ladder);
    }

    void end_day(const Ladder& ladder) {
        for (Ladder::Place at{ladder.best_key(), ladder.best()}; at.level != nil; at = ladder.after(at.key)) {
            Handle handle = nodes()[at.level].next;
            for (std::uint32_t left = level(at.level).order_count; left > 0; --left) {
                const Handle next = nodes()[handle].next;
                if ((order(handle).terms & term_day) != 0) take_away(handle, Reason::expired);
                handle = next;
            }
        }
    }

    // -- what is refused: the order of these checks is part of the contract -----------------------------------------

    /// The first check that fails. Rounds and slides the price.
    Reason why_not_enter(const ExtendedCommand& command, std::int64_t& price) {
        if (const Reason reason = why_not_order(command, book_, store_.clock_, price); reason != Reason::none)
            return reason;
        if (find(command) != nil) return Reason::duplicate_order_id;
        if (is_stop(command))
            if (const Reason reason = why_not_wait(command); reason != Reason::none) return reason;
        const bool stays = rests_with_terms(command) || is_stop(command);
        const bool dry = stays && store_.live_ == store_.orders_max_;
        if (dry && store_.when_orders_dry_ == PoolPolicy::refuse) return Reason::order_pool_full;
        if (book_.phase == TradingPhase::continuous && !is_stop(command))
            if (const Reason reason = why_not_trade(command, price); reason != Reason::none) return reason;
        return dry && !store_.grow_orders() ? Reason::order_pool_full : Reason::none;
    }

    Reason why_not_wait(const ExtendedCommand& command) const {
        if (command.kind != CommandType::trailing_stop)
            return this->reached(command.side, command.trigger) ? Reason::stop_through_market : Reason::none;
        if (!book_.traded) return Reason::no_last_trade;
        const __int128 trigger = this->trail(command.side, book_.last, command.trigger, command.flags);
        const bool inside = trigger >= book_.rules.price_min && trigger <= book_.rules.price_max;
        return inside ? Reason::none : Reason::price_outside_band;
    }

    Reason why_not_trade(const ExtendedCommand& command, std::int64_t& price) const {
        const bool asks = (command.flags & flag_post_only) != 0 || is(command, TimeInForce::fok);
        if (!asks && !this->tape_refuses()) return Reason::none;
        const auto judged = this->judge(taker_of(command, price));
        if (is(command, TimeInForce::fok) && !judged.whole) return Reason::fok_not_fillable;
        if ((command.flags & flag_post_only) != 0 && judged.records != 0)
            return (command.flags & flag_price_slide) != 0 && slide(command.side, price)
                       ? Reason::none
                       : Reason::post_only_would_trade;
        const bool trades = judged.whole || !is_all_or_none(command);
        return !trades || this->tape_takes(judged.records) ? Reason::none : Reason::trade_pool_full;
    }

    /// One tick behind the best price of the other side. False where the band has no such price.
    bool slide(std::uint32_t side, std::int64_t& price) const {
        const std::uint32_t other = side ^ 1;
        const std::int64_t best = this->price_of(other, book_.ladders[other].best_key());
        const std::int64_t tick = book_.rules.tick;
        const bool outside =
            side == 0 ? __builtin_sub_overflow(best, tick, &price) : __builtin_add_overflow(best, tick, &price);
        return !outside && price >= book_.rules.price_min && price <= book_.rules.price_max;
    }

    void reject(const Command& command, Reason reason) {
        if (reason == Reason::order_pool_full) ++store_.order_refusals_;
        if (reason == Reason::trade_pool_full) ++store_.trade_refusals_;
        emit(ExecType::rejected, command.order_id, command.side, command.price, 0, 0, reason);
    }
};

}  // namespace lowlat
