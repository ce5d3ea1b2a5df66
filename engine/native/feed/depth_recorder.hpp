// Records a book's best levels after events of a feed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/native/feed/book_builder.hpp"
#include "engine/native/feed/records.hpp"
#include "engine/native/feed/shown_levels.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Where the states go that a witness of BookBuilder::apply_all() records, and the numbers of their events.
class StateLog {
  public:
    /// `states` and `numbers` have room for every event.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): named alike wherever they are passed
    StateLog(DepthMoment when, std::int64_t* states, std::int64_t* numbers)
        : when_(when), states_(states), numbers_(numbers) {}

    /// An event was applied, after which the state is this one.
    void add(const OrderEvent& event, const std::int64_t* state, std::size_t width, bool changed) {
        const std::int64_t number = events_++;
        if (when_ == DepthMoment::last && (event.flags & event_flag_last) == 0) return;
        if (when_ == DepthMoment::change && !changed) return;
        std::copy_n(state, width, states_ + recorded_ * width);
        numbers_[recorded_++] = number;
    }

    bool asks_for_changes() const { return when_ == DepthMoment::change; }

    /// How many states there are.
    std::uint64_t recorded() const { return recorded_; }

  private:
    DepthMoment when_;
    std::int64_t* states_;
    std::int64_t* numbers_;
    std::int64_t events_ = 0;
    std::uint64_t recorded_ = 0;
};

/// Records several levels.
class DepthRecorder {
  public:
    DepthRecorder(const BookBuilder& builder, std::uint32_t levels, StateLog& log)
        : shown_(builder, levels), log_(log) {}

    void before(const OrderEvent& event) {
        if (event.symbol < BookBuilder::symbols_limit) shown_.before(event);
    }

    void after(const OrderEvent& event) {
        const bool changed = shown_.after(event);
        log_.add(event, shown_.state(event.symbol), shown_.width(), changed);
    }

  private:
    ShownLevels shown_;
    StateLog& log_;
};

/// Records the best level, which every book knows.
class BestRecorder {
  public:
    BestRecorder(const BookBuilder& builder, StateLog& log) : builder_(builder), log_(log) {}

    void before(const OrderEvent& event) {
        if (log_.asks_for_changes()) before_ = state_of(event.symbol);
    }

    void after(const OrderEvent& event) {
        const State state = state_of(event.symbol);
        log_.add(event, state.data(), state.size(), state != before_);
    }

  private:
    using State = std::array<std::int64_t, ShownLevels::columns>;

    State state_of(std::uint32_t symbol) const {
        State state{};
        if (symbol >= builder_.symbols()) return state;
        for (const Side side : both_sides) {
            const Book& book = builder_.books()[symbol];
            const Ladder& ladder = book.ladders[side];
            if (ladder.best() == nil) continue;
            std::int64_t* const column = state.data() + (side == Side::sell ? 0 : 2);
            column[0] = book.price_of(side, ladder.best_key());
            column[1] = static_cast<std::int64_t>(builder_.level(ladder.best()).quantity);
        }
        return state;
    }

    const BookBuilder& builder_;
    StateLog& log_;
    State before_{};
};

/// A witness of nothing.
struct NoWitness {
    void before(const OrderEvent& event) const { static_cast<void>(event); }
    void after(const OrderEvent& event) const { static_cast<void>(event); }
};

}  // namespace lowlat
