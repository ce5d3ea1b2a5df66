// Matching of incoming orders with resting orders that have attributes: by time or pro rata, icebergs, all-or-none
// orders, self-trade prevention.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/events.hpp"
#include "engine/native/matching/full_path_dry_run.hpp"
#include "engine/native/matching/full_path_stops.hpp"

namespace lowlat {

/// One command on the orders of one book, with the sink of its events.
template <typename Sink>
class CommandContext {
  public:
    CommandContext(const BookOrders& its_orders, CommandType command, Sink& its_sink)
        : stops(its_orders), sink(its_sink), command_(command) {}

    BookOrders& orders() { return stops.orders(); }
    const BookOrders& orders() const { return stops.orders(); }

    LOWLAT_INLINE void emit(const OrderUpdate& update) { sink.next() = event_of(source(), update); }

    /// For an order whose full displayed quantity remains.
    void emit_whole(ExecType kind, const OrderBody& order, std::int64_t price) {
        emit({.kind = kind,
              .id = order.id,
              .side = byte_of(order.side),
              .price = price,
              .quantity = order.quantity,
              .remaining = order.quantity});
    }

    /// Also records the trade on the tape.
    LOWLAT_INLINE void execute_trade(const Fill& fill) {
        const std::uint64_t trade_id = orders().store.record(trade_of(fill, orders().symbol));
        sink.next() = event_of(source(), fill, trade_id);
    }

    /// Cancel a live order with a reason.
    void cancel_order(Handle handle, Reason reason) {
        const OrderBody& gone = orders()[handle];
        const OrderUpdate update{.kind = ExecType::cancelled,
                                 .id = gone.id,
                                 .side = byte_of(gone.side),
                                 .price = orders().limit_of(handle),
                                 .quantity = orders().total(handle),
                                 .remaining = 0,
                                 .reason = reason};
        orders().remove(handle);
        emit(update);
    }

    Stops stops;
    Sink& sink;

  private:
    LOWLAT_INLINE EventSource source() const { return {orders().store.sequence(), orders().symbol, command_}; }

    CommandType command_;
};

/// Matches incoming orders with the orders of one book.
template <typename Sink>
class Matching {
  public:
    explicit Matching(const CommandContext<Sink>& context) : context_(context) {}

    CommandContext<Sink>& context() { return context_; }
    const CommandContext<Sink>& context() const { return context_; }

    std::int64_t limit_key(CommandType kind, Side side, std::int64_t price) const {
        return kind == CommandType::market ? Book::any_key : orders().book.key_of(opposite(side), price);
    }

    /// Enter a live order again, with its original attributes and its displayed quantity.
    Taker taker_of(Handle handle, CommandType kind, std::int64_t price) const {
        const OrderBody& order = orders()[handle];
        const SelfTradePrevention self_trade =
            has_attributes(order) ? orders().attributes(handle).self_trade : SelfTradePrevention::none;
        return {.id = order.id,
                .price = price,
                .limit_key = limit_key(kind, order.side, price),
                .left = order.quantity,
                .participant_id = self_trade == SelfTradePrevention::none ? 0 : orders().participant_id(handle),
                .side = order.side,
                .self_trade = self_trade};
    }

    /// Whether the limit reaches the other side. Also true for a market order against an empty side.
    bool reaches(const Taker& taker) const {
        return orders().book.ladders[opposite(taker.side)].best_key() <= taker.limit_key;
    }

    FullDryRun dry_run() const { return FullDryRun(orders()); }

    /// Trade against the other side, up to the limit.
    void match(Taker& taker) {
        if (unlikely(orders().book.index != nullptr) && !dry_run().pro_rata()) {
            meet_by_index(taker);
            if (orders().book.index != nullptr) return;
        }
        const Ladder& ladder = orders().book.ladders[opposite(taker.side)];
        Ladder::Place at{ladder.best_key(), ladder.best()};
        std::uint64_t passed = 0;  // orders
        while (taker.left != 0 && at.level != nil && at.key <= taker.limit_key) {
            if (dry_run().pro_rata()) {
                share_level(taker, at.key);
            } else {
                meet_level(taker, at.level, passed);
            }
            if (taker.left != 0) at = ladder.after(at.key);
        }
        orders().book.walks.count(passed);
    }

    /// Cancel the remainder of an incoming order.
    void cancel_rest(const Taker& taker, Reason reason) {
        context_.emit({.kind = ExecType::cancelled,
                       .id = taker.id,
                       .side = byte_of(taker.side),
                       .price = taker.price,
                       .quantity = taker.left,
                       .remaining = 0,
                       .reason = reason});
    }

    /// Show an iceberg's next slice, at the back of the queue.
    void refill(Handle handle) {
        orders().refill(handle);
        const OrderBody& iceberg = orders()[handle];
        context_.emit({.kind = ExecType::refilled,
                       .id = iceberg.id,
                       .side = byte_of(iceberg.side),
                       .price = orders().limit_of(handle),
                       .quantity = iceberg.quantity,
                       .remaining = orders().total(handle)});
    }

  private:
    BookOrders& orders() { return context_.orders(); }
    const BookOrders& orders() const { return context_.orders(); }

    bool own(const Taker& taker, Handle maker) const { return dry_run().own(taker, maker); }

    /// Oldest first.
    void meet_level(Taker& taker, Handle level_handle, std::uint64_t& passed) {
        Handle at = orders().next(level_handle);
        while (at != level_handle && taker.left != 0) {
            Handle next = orders().next(at);
            if (dry_run().passed_over(at, taker.left)) {
                ++passed;
            } else if (meet(taker, at) && next == level_handle) {
                next = at;  // refilled, it is queued again behind its old position
            }
            at = next;
        }
    }

    /// The same without a walk over the orders that it passes over.
    void meet_by_index(Taker& taker) {
        const Side side = opposite(taker.side);
        while (taker.left != 0 && orders().book.index != nullptr) {
            const DepthIndex& index = *orders().book.index;
            if (index.any_all_or_none(side)) orders().book.walks.index_used();
            const Handle maker = index.first_maker({.side = side, .limit_key = taker.limit_key, .left = taker.left});
            if (maker == nil) return;
            meet(taker, maker);
        }
    }

    /// Trade with a maker, or what self-trade prevention does instead. Returns whether the maker was refilled.
    bool meet(Taker& taker, Handle maker) {
        const bool is_own = own(taker, maker);
        if (!is_own || taker.self_trade == SelfTradePrevention::decrement)
            return take(taker, maker, std::min(taker.left, orders()[maker].quantity), is_own);
        if (taker.self_trade != SelfTradePrevention::cancel_aggressing)
            context_.cancel_order(maker, Reason::self_trade);
        if (taker.self_trade != SelfTradePrevention::cancel_resting) stop(taker);
        return false;
    }

    /// Cancel an incoming order by self-trade prevention.
    void stop(Taker& taker) {
        cancel_rest(taker, Reason::self_trade);
        taker.left = 0;
        taker.stopped = true;
    }

    /// Trade or decrement a quantity of what a maker displays. Returns whether the maker was refilled.
    bool take(Taker& taker, Handle maker, std::uint32_t quantity, bool decrement) {
        const OrderBody& resting = orders()[maker];
        const std::int64_t price = orders().limit_of(maker);
        taker.left -= quantity;
        orders().reduce_shown(maker, quantity);
        const std::uint32_t left = orders().total(maker);
        if (decrement) {
            emit_decrement(taker, maker, quantity);
        } else {
            context_.execute_trade({.taker_id = taker.id,
                                    .taker_left = taker.left,
                                    .maker_id = resting.id,
                                    .maker_left = left,
                                    .side = taker.side,
                                    .price = price,
                                    .quantity = quantity});
            context_.stops.after_trade(price);
        }
        if (resting.quantity != 0) return false;
        if (left == 0) {
            orders().remove(maker);
            return false;
        }
        refill(maker);
        return true;
    }

    /// Report that both orders of one participant were decremented without a trade.
    void emit_decrement(const Taker& taker, Handle maker, std::uint32_t quantity) {
        const OrderBody& resting = orders()[maker];
        context_.emit({.kind = ExecType::reduced,
                       .id = resting.id,
                       .side = byte_of(resting.side),
                       .price = orders().limit_of(maker),
                       .quantity = quantity,
                       .remaining = orders().total(maker),
                       .reason = Reason::self_trade});
        context_.emit({.kind = ExecType::reduced,
                       .id = taker.id,
                       .side = byte_of(taker.side),
                       .price = taker.price,
                       .quantity = quantity,
                       .remaining = taker.left,
                       .reason = Reason::self_trade});
    }

    // -- pro-rata -------------------------------------------------------------------------------------------------

    /// Match until the level or the incoming order is exhausted.
    void share_level(Taker& taker, std::int64_t key) {
        const Ladder& ladder = orders().book.ladders[opposite(taker.side)];
        const bool keeps_own = taker.self_trade == SelfTradePrevention::cancel_aggressing ||
                               taker.self_trade == SelfTradePrevention::cancel_both;
        for (Handle at = ladder.look(key); at != nil && taker.left != 0; at = ladder.look(key)) {
            if (taker.self_trade == SelfTradePrevention::cancel_resting) {
                cancel_own(taker, at);
                if (ladder.look(key) == nil) return;
            }
            const Owned owned = keeps_own ? count_owned(taker, at) : Owned{};
            share_once(taker, at, orders().level(at).quantity - owned.quantity, keeps_own);
            if (owned.orders == 0) continue;
            if (taker.left == 0) return;
            if (taker.self_trade == SelfTradePrevention::cancel_both) cancel_own(taker, at);
            return stop(taker);
        }
    }

    struct Owned {
        std::uint64_t quantity = 0;
        std::uint32_t orders = 0;
    };

    Owned count_owned(const Taker& taker, Handle level_handle) const {
        Owned owned;
        for (Handle at = orders().next(level_handle); at != level_handle; at = orders().next(at)) {
            if (!own(taker, at)) continue;
            owned.quantity += orders()[at].quantity;
            ++owned.orders;
        }
        return owned;
    }

    void cancel_own(const Taker& taker, Handle level_handle) {
        Handle at = orders().next(level_handle);
        for (std::uint32_t left = orders().level(level_handle).order_count; left > 0; --left) {
            const Handle next = orders().next(at);
            if (own(taker, at)) context_.cancel_order(at, Reason::self_trade);
            at = next;
        }
    }

    /// Allocate the incoming quantity to the slices; `shared` is the sum of the participating slices.
    void share_once(Taker& taker, Handle level_handle, std::uint64_t shared, bool without_own) {
        if (shared == 0) return;
        const std::uint64_t coming = std::min<std::uint64_t>(taker.left, shared);
        const auto lot = static_cast<std::uint64_t>(orders().book.rules.lot);
        const std::uint64_t lots = coming / lot;
        const auto part = [&](Handle at) { return lots * orders()[at].quantity / shared * lot; };
        const auto takes_part = [&](Handle at) { return !without_own || !own(taker, at); };
        std::uint64_t rest = coming;
        for (Handle at = orders().next(level_handle); at != level_handle; at = orders().next(at))
            if (takes_part(at)) rest -= part(at);
        Handle at = orders().next(level_handle);
        for (std::uint32_t left = orders().level(level_handle).order_count; left > 0; --left) {
            const Handle next = orders().next(at);
            if (takes_part(at)) {
                std::uint64_t quantity = part(at);
                if (rest != 0 && quantity < orders()[at].quantity) {
                    quantity += lot;
                    rest -= lot;
                }
                if (quantity != 0) take(taker, at, static_cast<std::uint32_t>(quantity), own(taker, at));
            }
            at = next;
        }
    }

    CommandContext<Sink> context_;
};

}  // namespace lowlat
