// What every part of the path of orders with terms stands on: one command, its book, and how events are told.
#pragma once

#include <cstdint>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// An order that meets the other side: one that comes in, or that comes in again.
struct Taker {
    std::uint64_t id;
    std::int64_t price;      // its limit as events say it: 0 of a market order
    std::int64_t limit_key;  // keys of the other side up to this one trade
    std::uint32_t left;
    std::uint32_t participant_id;  // 0 also where prevention has nothing to do
    std::uint8_t side;
    SelfTradePrevention self_trade;
    bool stopped = false;  // cancelled by self-trade prevention
};

/// The layers above (stops, matching, auction, path) each add one idea; they are one object, made for one command.
template <typename Sink>
class TermsBase {
  protected:
    TermsBase(Store& store, std::uint32_t symbol, CommandType command, Sink& sink)
        : store_(store), book_(store.books_[symbol]), symbol_(symbol), command_(command), sink_(sink) {}

    Nodes& nodes() { return store_.nodes_; }
    const Nodes& nodes() const { return store_.nodes_; }
    OrderBody& order(Handle handle) { return store_.nodes_[handle].order; }
    const OrderBody& order(Handle handle) const { return store_.nodes_[handle].order; }
    OrderTerms& terms(Handle handle) { return store_.terms_[order(handle).kept]; }
    const OrderTerms& terms(Handle handle) const { return store_.terms_[order(handle).kept]; }
    LevelBody& level(Handle handle) { return store_.nodes_[handle].level; }

    std::int64_t key_of(std::uint32_t side, std::int64_t price) const { return Store::key_of(book_, side, price); }
    std::int64_t price_of(std::uint32_t side, std::int64_t key) const { return Store::price_of(book_, side, key); }

    bool waits(Handle handle) const { return (order(handle).terms & term_waits) != 0; }
    Ladder& ladder_of(Handle handle) { return (waits(handle) ? book_.stops : book_.ladders)[order(handle).side]; }
    /// What an order has left, shown or not.
    std::uint32_t total(Handle handle) const { return order(handle).quantity + store_.reserve_quantity(order(handle)); }
    std::int64_t limit_of(Handle handle) const { return store_.limit_of(book_, handle); }
    std::uint32_t participant_id(Handle handle) const {
        return (order(handle).terms & term_owner) != 0 ? terms(handle).participant_id : 0;
    }

    /// What the book must remember while it has an order with such terms.
    void note(const OrderBody& order, std::int32_t more) {
        if ((order.terms & terms_met) != 0) book_.note(more);
        if ((order.terms & term_all_or_none) != 0) book_.all_or_none[order.side] += static_cast<std::uint32_t>(more);
    }

    /// A live order that is in no queue any more is gone.
    LOWLAT_INLINE void forget(Handle handle) {
        const OrderBody& gone = order(handle);
        note(gone, -1);
        store_.index_.erase(store_.index_.tag(gone.id, symbol_), handle);
        store_.release_terms(handle);
        nodes().release(handle);
        --store_.live_;
    }

    LOWLAT_INLINE void remove(Handle handle) {
        store_.take_out(ladder_of(handle), handle);
        forget(handle);
    }

    LOWLAT_INLINE void emit(ExecType kind, std::uint64_t id, std::uint32_t side, std::int64_t price,
                            std::uint32_t quantity, std::uint32_t remaining, Reason reason = Reason::none) {
        tell({.sequence = store_.sequence_,
              .order_id = id,
              .maker_id = 0,
              .price = price,
              .quantity = quantity,
              .remaining = remaining,
              .maker_remaining = 0,
              .symbol = symbol_,
              .trade_id = 0,
              .kind = kind,
              .side = static_cast<std::uint8_t>(side),
              .reason = reason,
              .command = command_,
              .zero = 0});
    }

    LOWLAT_INLINE void print(std::uint64_t taker, std::uint32_t taker_left, std::uint64_t maker,
                             std::uint32_t maker_left, std::uint32_t side, std::int64_t price, std::uint32_t quantity) {
        store_.record({maker, taker, price, quantity, symbol_});
        tell({.sequence = store_.sequence_,
              .order_id = taker,
              .maker_id = maker,
              .price = price,
              .quantity = quantity,
              .remaining = taker_left,
              .maker_remaining = maker_left,
              .symbol = symbol_,
              .trade_id = ++store_.trades_,
              .kind = ExecType::trade,
              .side = static_cast<std::uint8_t>(side),
              .reason = Reason::none,
              .command = command_,
              .zero = 0});
    }

    /// Take a live order out for good, and say why.
    void cancel_order(Handle handle, Reason reason) {
        const OrderBody gone = order(handle);
        const std::uint32_t quantity = total(handle);
        const std::int64_t price = limit_of(handle);
        remove(handle);
        emit(ExecType::cancelled, gone.id, gone.side, price, quantity, 0, reason);
    }

    Store& store_;
    Book& book_;
    std::uint32_t symbol_;
    CommandType command_;
    Sink& sink_;

  private:
    void tell(const Event& event) { sink_.next() = event; }
};

}  // namespace lowlat
