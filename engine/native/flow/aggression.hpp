// How much the aggressive orders of a synthetic flow take.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/native/flow/market.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Aggressive orders that look at the book: most take the touch or part of it, few take several levels.
class Aggression {
  public:
    explicit Aggression(const AggressionProfile& profile) : profile_(profile) {}

    bool any() const { return !profile_.sweep_levels.empty(); }

    struct Taking {
        std::int64_t price;
        std::uint32_t quantity;
    };

    /// What an order takes from a side; `draw` gives quantities, of which it takes one below the touch's.
    template <typename Draw>
    Taking take(SyntheticMarket& market, std::uint32_t symbol, Side from, Random& random, Draw draw) const {
        const std::int64_t touch = market.touch(symbol, from);
        const std::uint64_t holds = market.matcher().level_at(symbol, from, touch).quantity;
        if (holds == 0) return {touch, draw()};
        const std::uint64_t chance = random.next() >> 32;
        if (chance < profile_.clear) return {touch, bounded(holds)};
        if (chance - profile_.clear < profile_.sweep)
            return sweep(market, symbol, from, profile_.sweep_levels.draw(random));
        for (std::uint32_t tries = 0; tries < draws_max; ++tries)
            if (const std::uint32_t drawn = draw(); drawn < holds) return {touch, drawn};
        return {touch, 1 + random.below(std::max<std::uint32_t>(1, bounded(holds) - 1))};
    }

  private:
    static constexpr std::uint32_t draws_max = 8;

    static std::uint32_t bounded(std::uint64_t quantity) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(quantity, std::numeric_limits<std::uint32_t>::max()));
    }

    static Taking sweep(const SyntheticMarket& market, std::uint32_t symbol, Side from, std::uint32_t levels) {
        Taking taking{};
        std::uint64_t quantity = 0;
        market.matcher().for_each_level(symbol, from, [&](const LevelRow& level) {
            taking.price = level.price;
            quantity += level.quantity;
            return --levels != 0;
        });
        taking.quantity = bounded(quantity);
        return taking;
    }

    AggressionProfile profile_;
};

}  // namespace lowlat
