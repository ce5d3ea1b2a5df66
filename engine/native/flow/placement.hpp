// Where the adds of a synthetic flow go, from the touch of their own side.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/flow/market.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// A price that does not trade.
class Placement {
  public:
    explicit Placement(const PlacementProfile& profile) : profile_(profile) {}

    bool any() const { return profile_.spread_ticks != 0; }

    std::int64_t price(SyntheticMarket& market, std::uint32_t symbol, Side side, Random& random) const {
        const std::int64_t outward = side == Side::buy ? -1 : 1;
        const std::int64_t other = market.touch(symbol, opposite(side));
        std::int64_t own = market.touch(symbol, side);
        // The last touch of an empty side may be beyond the other side's current one.
        if ((own - other) * outward < 1) own = other + outward;
        const std::int64_t spread = (own - other) * outward;
        if (spread > 1 && chance(random) < improving(spread)) {
            const std::int64_t inside = profile_.improve_ticks.draw(random);
            return own - outward * std::min(inside, spread - 1);
        }
        if (chance(random) < profile_.join) return own;
        const std::int64_t price = own + outward * profile_.behind_ticks.draw(random);
        return profile_.new_level == PlacementProfile::as_it_falls ? price
                                                                   : settled(market, symbol, side, price, random);
    }

  private:
    static constexpr std::uint32_t levels_searched = 64;

    static std::uint64_t chance(Random& random) { return random.next() >> 32; }

    /// Share of adds inside this spread, in units of 2^-32: in proportion to it, so that a wide spread closes.
    std::uint64_t improving(std::int64_t spread) const {
        return profile_.improve * static_cast<std::uint64_t>(spread) / profile_.spread_ticks;
    }

    /// The next price outward that has a level, or has none, as drawn.
    std::int64_t settled(const SyntheticMarket& market, std::uint32_t symbol, Side side, std::int64_t price,
                         Random& random) const {
        const bool starts = chance(random) < profile_.new_level;
        const std::int64_t outward = side == Side::buy ? -1 : 1;
        for (std::uint32_t ticks = 0; ticks < levels_searched; ++ticks) {
            const std::int64_t at = price + outward * std::int64_t{ticks};
            if ((market.matcher().level_at(symbol, side, at).quantity == 0) == starts) return at;
        }
        return price;
    }

    PlacementProfile profile_;
};

}  // namespace lowlat
