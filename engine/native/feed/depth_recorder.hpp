// Records a book's best levels after events of a feed.
#pragma once

#include <algorithm>
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

/// A witness of BookBuilder::apply_all(). A state is `levels` rows of `columns` numbers: price and quantity of an ask,
/// price and quantity of a bid; zeros where there is no such level.
class DepthRecorder {
  public:
    static constexpr std::uint32_t columns = 4;

    /// `states` and `numbers` have room for one state, and the number of its event, for every event.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): named alike wherever they are passed
    DepthRecorder(const BookBuilder& builder, DepthMoment when, std::uint32_t levels, std::int64_t* states,
                  std::int64_t* numbers)
        : builder_(builder), when_(when), levels_(levels), states_(states), numbers_(numbers) {
        if (when_ == DepthMoment::change) before_.resize(width());
    }

    void before(const OrderEvent& event) {
        if (when_ == DepthMoment::change) write(event.symbol, before_.data());
    }

    void after(const OrderEvent& event) {
        const std::int64_t number = events_++;
        if (when_ == DepthMoment::last && (event.flags & event_flag_last) == 0) return;
        std::int64_t* const state = states_ + recorded_ * width();
        write(event.symbol, state);
        if (when_ == DepthMoment::change && std::equal(before_.begin(), before_.end(), state)) return;
        numbers_[recorded_++] = number;
    }

    /// How many states there are.
    std::uint64_t recorded() const { return recorded_; }

  private:
    std::size_t width() const { return std::size_t{levels_} * columns; }

    void write(std::uint32_t symbol, std::int64_t* state) const {
        std::fill_n(state, width(), 0);
        if (symbol >= builder_.symbols()) return;
        write(symbol, Side::sell, state);
        write(symbol, Side::buy, state + 2);
    }

    void write(std::uint32_t symbol, Side side, std::int64_t* column) const {
        if (levels_ == 1) return write_best(builder_.books()[symbol], side, column);
        std::size_t level = 0;
        builder_.for_each_level(symbol, side, [&](const LevelRow& row) {
            column[level * columns] = row.price;
            column[level * columns + 1] = static_cast<std::int64_t>(row.quantity);
            return ++level < levels_;
        });
    }

    /// Without the search for further levels.
    void write_best(const Book& book, Side side, std::int64_t* column) const {
        const Ladder& ladder = book.ladders[side];
        if (ladder.best() == nil) return;
        column[0] = book.price_of(side, ladder.best_key());
        column[1] = static_cast<std::int64_t>(builder_.level(ladder.best()).quantity);
    }

    const BookBuilder& builder_;
    DepthMoment when_;
    std::uint32_t levels_;
    std::int64_t* states_;
    std::int64_t* numbers_;
    std::int64_t events_ = 0;
    std::uint64_t recorded_ = 0;
    std::vector<std::int64_t> before_;
};

/// A witness of nothing.
struct NoWitness {
    void before(const OrderEvent& event) const { static_cast<void>(event); }
    void after(const OrderEvent& event) const { static_cast<void>(event); }
};

}  // namespace lowlat
