// A matcher that refuses what would make its books inconsistent.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/c_api/config.hpp"
#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/ownership.hpp"
#include "engine/native/c_api/status.hpp"
#include "engine/native/matching/auction_price.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class GuardedMatcher {
  public:
    /// Throws EngineError for bad settings, std::bad_alloc.
    explicit GuardedMatcher(const lowlat_engine_config& settings) : matcher_(read_settings(settings)) {}

    Ownership& ownership() { return ownership_; }

    /// Returns work(matcher) as the only call, also of a broken engine. Throws EngineError, and what `work` throws.
    template <typename Work>
    auto alone(Work work) {
        const ExclusiveCall call(ownership_);
        return work(matcher_);
    }

    /// The same, unless the engine is broken.
    template <typename Work>
    auto whole(Work work) {
        const ExclusiveCall call(ownership_);
        if (broken_) refuse(LOWLAT_BROKEN);
        return work(matcher_);
    }

    /// Let `work` execute commands, then call `then` within the same call. If `work` throws, the books are
    /// inconsistent: the engine is broken until its reset.
    template <typename Work, typename Then>
    LOWLAT_INLINE void execute(Work work, Then then) {
        const ExclusiveCall call(ownership_);
        if (unlikely(broken_)) refuse(LOWLAT_BROKEN);
        try {
            work(matcher_);
        } catch (...) {
            broken_ = true;
            throw;
        }
        then();
    }

    /// Empty it; `then` runs within the same call.
    template <typename Then>
    void reset(Then then) {
        const ExclusiveCall call(ownership_);
        matcher_.reset();
        broken_ = false;
        then();
    }

  private:
    Matcher matcher_;
    Ownership ownership_;
    bool broken_ = false;
};

inline void check_symbol(const Matcher& matcher, std::uint32_t symbol) {
    if (symbol >= matcher.symbols()) refuse(LOWLAT_UNKNOWN_SYMBOL);
}

inline lowlat_top_of_book top_of_book(const Matcher& matcher, std::uint32_t symbol) {
    check_symbol(matcher, symbol);
    PerSide<LevelRow> tops{};
    for (const Side side : both_sides) {
        matcher.for_each_level(symbol, side, [&](const LevelRow& row) {
            tops[side] = row;
            return false;
        });
    }
    const auto& [bid, ask] = tops.of;
    return {bid.price, bid.quantity, ask.price, ask.quantity};
}

inline lowlat_auction_indicative auction_indicative(const Matcher& matcher, std::uint32_t symbol) {
    check_symbol(matcher, symbol);
    CrossedLevels levels;
    const Uncross found = find_uncross(matcher, symbol, levels).value_or(Uncross{});
    return {found.price, found.volume, found.imbalance};
}

inline lowlat_counters counters_of(const Matcher& matcher, std::uint64_t events_held) {
    return {.commands = matcher.sequence(),
            .trades = matcher.trades(),
            .live_orders = matcher.live_orders(),
            .order_refusals = matcher.order_refusals(),
            .trade_refusals = matcher.trade_refusals(),
            .trades_held = matcher.tape().held(),
            .trades_recycled = matcher.tape().recycled(),
            .growths = matcher.growths(),
            .index_rehashes = matcher.index().seed(),
            .events_held = events_held};
}

}  // namespace lowlat
