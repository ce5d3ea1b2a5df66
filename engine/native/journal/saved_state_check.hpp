// Checks a snapshot's state before anything is built from it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/native/journal/saved_order_check.hpp"
#include "engine/native/journal/saved_state.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Checks every field of a state, for an empty engine with the same settings. Takes memory for the orders that the
/// bytes hold only.
class SavedStateCheck {
  public:
    SavedStateCheck(const OrderStore& store, StateReader from) : store_(store), from_(from), symbol_(store.symbols()) {}

    /// Throws StateError, which names the first wrong field.
    void check() {
        try {
            engine_ = from_.get<SavedEngine>();
            check_engine();
            check_tape();
            for (symbol_ = 0; symbol_ < store_.symbols(); ++symbol_) check_book();
            require(from_.left == 0, "length:", from_.left, "bytes are left over");
            check_accepted();
        } catch (const StateError& error) {
            throw StateError(where() + error.what());
        }
    }

  private:
    static constexpr std::uint64_t int64_max = std::numeric_limits<std::int64_t>::max();

    /// The record that is being checked.
    std::string where() const {
        if (trade_) return "trade " + std::to_string(*trade_) + " on the tape: ";
        if (symbol_ == store_.symbols()) return {};
        const std::string symbol = "symbol " + std::to_string(symbol_);
        if (queue_ == nullptr) return symbol + ": ";
        return symbol + ", " + queue_ + ", order " + std::to_string(order_) + ": ";
    }

    void check_engine() {
        const SavedEngine& engine = engine_;
        require(engine.symbols == store_.symbols(), "symbols", engine.symbols, "is not that of the settings");
        require(engine.zero == 0, "zero", engine.zero, "is not 0");
        require(engine.sequence <= int64_max, "sequence", engine.sequence, "is more commands than there can be");
        require(engine.clock <= int64_max, "clock", engine.clock, "is a time that no command can set");
        require(engine.order_refusals <= engine.sequence, "order_refusals", engine.order_refusals,
                "is more than all commands");
        require(engine.trade_refusals <= engine.sequence - engine.order_refusals, "trade_refusals",
                engine.trade_refusals, "is more than all commands");
        const bool orders_grow = !store_.rejects_when_full();
        const bool tape_grows = store_.tape_grows();
        std::uint32_t growths =
            doublings("orders_max", engine.orders_max, store_.orders_max(), orders_grow ? engine.sequence : 0);
        growths +=
            doublings("tape_capacity", engine.tape_capacity, store_.tape().capacity(), tape_grows ? engine.trades : 0);
        require(engine.growths == growths, "growths", engine.growths, "does not explain the size of the pools");
    }

    /// How often a pool has grown. It doubles when it is full, so more than half of a pool that has grown was used.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    static std::uint32_t doublings(const char* field, std::uint64_t now, std::uint64_t at_first, std::uint64_t used) {
        std::uint32_t count = 0;
        for (std::uint64_t size = at_first; size < now; ++count) {
            require(size <= now / 2, field, now, "is not the size in the settings, doubled");
            size *= 2;
        }
        require(now >= at_first, field, now, "is less than in the settings");
        require(count == 0 || now / 2 < used, field, now, "is more than was ever needed");
        return count;
    }

    void check_tape() {
        const SavedEngine& engine = engine_;
        require(engine.tape_held <= engine.tape_capacity, "tape_held", engine.tape_held, "is more than the tape takes");
        require(engine.tape_held <= from_.left / sizeof(Trade), "tape_held", engine.tape_held, "is more than follows");
        require(engine.tape_held <= engine.trades, "tape_held", engine.tape_held, "is more than all trades");
        require(engine.tape_recycled <= engine.trades - engine.tape_held, "tape_recycled", engine.tape_recycled,
                "is more than all trades");
        newest_.resize(store_.symbols());
        for (std::uint64_t number = 0; number < engine.tape_held; ++number) {
            trade_ = number;
            check_trade(from_.get<Trade>());
        }
        trade_.reset();
    }

    void check_trade(const Trade& trade) {
        require(trade.symbol < store_.symbols(), "symbol", trade.symbol, "is unknown");
        const SymbolRules& rules = store_.books()[trade.symbol].rules;
        require(is_price(rules, trade.price), "price", trade.price, "is outside the band");
        require(trade.quantity != 0, "quantity", trade.quantity, "is none");
        require_quantity(rules, "quantity", trade.quantity);
        newest_[trade.symbol] = trade.price;
    }

    void check_book() {
        queue_ = nullptr;
        const auto book = from_.get<SavedBook>();
        const SymbolRules& rules = store_.books()[symbol_].rules;
        require_zero(book.zero, sizeof book.zero);
        require(known(book.phase), "phase", book.phase, "is unknown");
        require(book.traded <= 1, "traded", book.traded, "is neither 0 nor 1");
        require(book.traded == 1 ? is_price(rules, book.last) : book.last == 0, "last", book.last, "is not a price");
        const std::optional<std::int64_t> newest = newest_[symbol_];
        require(!newest || (book.traded == 1 && *newest == book.last), "last", book.last,
                "is not that of the newest trade on the tape");
        for (std::size_t number = 0; number < 4; ++number) check_queue(book, number);
    }

    void check_queue(const SavedBook& book, std::size_t number) {
        constexpr const char* names[] = {"bids", "asks", "buy stops", "sell stops"};
        queue_ = nullptr;
        const std::uint32_t orders = book.orders[number];
        live_ += orders;
        require(live_ <= engine_.orders_max, "orders", orders, "is more than the pool has room for");
        const SavedQueue queue{.book = store_.books()[symbol_],
                               .last = book.last,
                               .traded = book.traded == 1,
                               .sequence = engine_.sequence,
                               .clock = engine_.clock,
                               .side = both_sides[number % 2],
                               .waits = number >= 2};
        std::int64_t key = std::numeric_limits<std::int64_t>::min();
        std::vector<Trailing> trailing;
        queue_ = names[number];
        for (order_ = 0; order_ < orders; ++order_) key = check_order(queue, key, trailing);
        check_trailing(trailing, queue.side);
    }

    /// A trailing stop's position among those of its side, and what is sorted by it.
    struct Trailing {
        std::uint32_t position;
        std::uint64_t accepted;
        std::int64_t anchor;
        std::uint32_t order;  // in the queue
    };

    /// Returns its key.
    std::int64_t check_order(const SavedQueue& queue, std::int64_t key_before, std::vector<Trailing>& trailing) {
        const auto order = from_.get<SavedOrder>();
        SavedOrderCheck check(queue, order);
        check.check();
        require(order.key >= key_before, "key", order.key, "is better than that of the order before");
        if (order.has_attributes == 0) return order.key;
        const auto its = from_.get<OrderAttributes>();
        check.check(its);
        accepted_.push_back(its.accepted);
        if (check.trails(its)) trailing.push_back({index_of(its.next), its.accepted, its.anchor, order_});
        return order.key;
    }

    void check_trailing(std::vector<Trailing>& stops, Side side) {
        std::ranges::sort(stops, {}, &Trailing::position);
        for (std::size_t at = 0; at < stops.size(); ++at) {
            const Trailing& stop = stops[at];
            order_ = stop.order;
            require(stop.position == at + 1, "next", stop.position, "is not its position among the trailing stops");
            if (at == 0) continue;
            const Trailing& older = stops[at - 1];
            require(stop.accepted > older.accepted, "accepted", stop.accepted, "is not after that of the stop before");
            const bool better = side == Side::buy ? older.anchor <= stop.anchor : older.anchor >= stop.anchor;
            require(better, "anchor", stop.anchor, "is better than that of an older stop");
        }
    }

    /// A command enters one order.
    void check_accepted() {
        std::ranges::sort(accepted_);
        const auto twice = std::ranges::adjacent_find(accepted_);
        if (twice != accepted_.end()) require(false, "accepted", *twice, "is of two orders");
    }

    const OrderStore& store_;
    StateReader from_;
    SavedEngine engine_{};
    std::optional<std::uint64_t> trade_;
    std::uint32_t symbol_;  // that of no book: before and after the books
    const char* queue_ = nullptr;
    std::uint32_t order_ = 0;
    std::uint64_t live_ = 0;
    std::vector<std::optional<std::int64_t>> newest_;  // price on the tape, by symbol
    std::vector<std::uint64_t> accepted_;
};

}  // namespace lowlat
