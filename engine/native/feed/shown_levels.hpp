// The best levels of the books of a feed, kept up from event to event.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/feed/book_builder.hpp"
#include "engine/native/feed/records.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Of each symbol that an event has named, a *state*: `levels` rows of `columns` numbers, best first: price and
/// quantity of an ask, price and quantity of a bid; zeros where there is no such level.
///
/// An event changes the levels of at most three orders: the one that it names, the one that it enters, and one whose id
/// is entered again. Only these levels are looked up; a level that leaves the state lets the next one in.
class ShownLevels {
  public:
    static constexpr std::uint32_t columns = 4;

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a builder and a count
    ShownLevels(const BookBuilder& builder, std::uint32_t levels) : builder_(builder), levels_(levels) {}

    /// How many numbers a state has.
    std::size_t width() const { return static_cast<std::size_t>(levels_) * columns; }

    /// The state of a symbol that an event has named.
    const std::int64_t* state(std::uint32_t symbol) const { return &states_[slots_[symbol] + header]; }

    /// An event of a valid symbol will be applied: see where the orders are that it is about.
    void before(const OrderEvent& event) {
        if (slots_.size() <= event.symbol) slots_.resize(event.symbol + 1, none);
        if (slots_[event.symbol] == none) begin(event.symbol);
        touched_count_ = 0;
        switch (event.action) {
            case OrderAction::add:
            case OrderAction::reduce:
            case OrderAction::cancel:
            case OrderAction::execute:
            case OrderAction::upsert:
                touch(event.order_id, event.symbol);
                break;
            case OrderAction::replace:
                touch(event.order_id, event.symbol);
                touch(event.other_id, event.symbol);
                break;
            default:
                break;
        }
    }

    /// It was applied: bring the state up to date. Returns whether it changed.
    bool after(const OrderEvent& event) {
        const std::size_t slot = slots_[event.symbol];
        if (event.action == OrderAction::clear) return empty(slot);
        if (event.symbol >= builder_.symbols()) return false;
        const Book& book = builder_.books()[event.symbol];
        bool changed = false;
        for (std::size_t at = 0; at < touched_count_; ++at)
            changed |= update(slot, book, touched_[at].side, touched_[at].price);
        if (event.action == OrderAction::add || event.action == OrderAction::upsert)
            changed |= update(slot, book, side_of(event), event.price);
        else if (event.action == OrderAction::replace && touched_count_ != 0)
            changed |= update(slot, book, touched_[0].side, event.price);
        return changed;
    }

  private:
    static constexpr std::size_t header = 2;  // how many levels each side of the state has
    static constexpr std::size_t none = ~std::size_t{0};

    void begin(std::uint32_t symbol) {
        const std::size_t slot = states_.size();
        states_.resize(slot + header + width(), 0);
        slots_[symbol] = slot;
        if (symbol >= builder_.symbols()) return;
        for (const Side side : both_sides) {
            std::int64_t& count = states_[slot + byte_of(side)];
            builder_.for_each_level(symbol, side, [&](const LevelRow& row) {
                std::int64_t* const at = column(slot, side) + count * columns;
                at[0] = row.price;
                at[1] = static_cast<std::int64_t>(row.quantity);
                return ++count < levels_;
            });
        }
    }

    bool empty(std::size_t slot) {
        const auto first = states_.begin() + static_cast<std::ptrdiff_t>(slot);
        const bool changed = first[0] != 0 || first[1] != 0;
        std::fill_n(first, header + width(), 0);
        return changed;
    }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): an id, and a symbol
    void touch(std::uint64_t id, std::uint32_t symbol) {
        if (symbol >= builder_.symbols()) return;
        if (const auto place = builder_.place_of(id, symbol)) touched_[touched_count_++] = *place;
    }

    std::int64_t* column(std::size_t slot, Side side) { return &states_[slot + header + (side == Side::sell ? 0 : 2)]; }

    static bool is_better(Side side, std::int64_t price, std::int64_t than) {
        return side == Side::sell ? price < than : price > than;
    }

    /// Have the level at a price as the book has it.
    bool update(std::size_t slot, const Book& book, Side side, std::int64_t price) {
        std::int64_t& count = states_[slot + byte_of(side)];
        std::int64_t* const rows = column(slot, side);
        if (count == levels_ && is_better(side, rows[(count - 1) * columns], price)) return false;
        const Ladder& ladder = book.ladders[side];
        const Handle level = ladder.look(book.key_of(side, price));
        const auto quantity = level == nil ? 0 : static_cast<std::int64_t>(builder_.level(level).quantity);
        const std::int64_t at = position(rows, count, side, price);
        const bool shown = at < count && rows[at * columns] == price;
        if (quantity == 0) {
            if (shown) erase(rows, count, at, book, side);
            return shown;
        }
        if (shown && rows[at * columns + 1] == quantity) return false;
        if (!shown) insert(rows, count, at);
        rows[at * columns] = price;
        rows[at * columns + 1] = quantity;
        return true;
    }

    /// The first row whose price is not better than this one.
    static std::int64_t position(const std::int64_t* rows, std::int64_t count, Side side, std::int64_t price) {
        std::int64_t first = 0;
        while (count > 0) {
            const std::int64_t half = count / 2;
            if (is_better(side, rows[(first + half) * columns], price)) {
                first += half + 1;
                count -= half + 1;
            } else {
                count = half;
            }
        }
        return first;
    }

    void insert(std::int64_t* rows, std::int64_t& count, std::int64_t at) const {
        if (count < levels_) ++count;
        for (std::int64_t row = count - 1; row > at; --row) copy_row(rows, row - 1, row);
    }

    void erase(std::int64_t* rows, std::int64_t& count, std::int64_t at, const Book& book, Side side) const {
        const std::int64_t last_price = rows[(count - 1) * columns];
        for (std::int64_t row = at; row + 1 < count; ++row) copy_row(rows, row + 1, row);
        std::int64_t* const last = rows + (count - 1) * columns;
        last[0] = last[1] = 0;
        // Where the state had fewer levels than it has room for, it had all of them.
        const bool more = count == levels_;
        --count;
        if (!more) return;
        const Ladder::Place next = book.ladders[side].after(book.key_of(side, last_price));
        if (next.level == nil) return;
        last[0] = book.price_of(side, next.key);
        last[1] = static_cast<std::int64_t>(builder_.level(next.level).quantity);
        ++count;
    }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    static void copy_row(std::int64_t* rows, std::int64_t from, std::int64_t to) {
        rows[to * columns] = rows[from * columns];
        rows[to * columns + 1] = rows[from * columns + 1];
    }

    const BookBuilder& builder_;
    std::int64_t levels_;
    std::vector<std::size_t> slots_;  // by symbol, where its state begins in `states_`
    std::vector<std::int64_t> states_;
    std::array<BookBuilder::OrderPlace, 2> touched_{};
    std::size_t touched_count_ = 0;
};

}  // namespace lowlat
