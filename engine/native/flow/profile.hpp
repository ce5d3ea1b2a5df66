// The profile of a synthetic flow, and the flow's actual composition.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/native/matching/config.hpp"

namespace lowlat {

/// The purpose of a synthetic command. `take` is a limit order priced through the touch.
enum class Act : std::uint8_t {
    add,
    cancel,
    take,
    market,
    ioc,
    fok,
    post_only,
    reduce,
    replace,
    // From here on, commands have attributes or concern a whole book: such a flow consists of extended commands.
    iceberg,
    all_or_none,
    slide,
    day,
    gtd,
    stop,
    stop_limit,
    trailing_stop,
    clock,
    auction,
};
inline constexpr std::size_t acts = 19;

/// A profile, all in integers; validated and documented in Python (engine/flow/profile.py).
struct FlowProfile {
    std::array<std::uint32_t, acts> weights{};
    std::uint32_t symbols = 1;
    std::uint32_t live_orders = 0;     // kept within 1/16
    std::uint32_t distance_ticks = 1;  // from the touch: the half-life, or the range when `uniform`
    std::uint32_t uniform = 0;
    std::uint32_t quantity_max = 1;       // of a resting order
    std::uint32_t take_quantity_max = 1;  // of an aggressive one
    std::uint32_t take_ticks = 0;         // how far through the touch an aggressive limit is priced
    std::uint32_t travel_ticks = 0;       // 0: orders are placed from the touch; else from an anchor that goes this
    std::uint32_t travel_per_1000 = 0;    // far down and up again, so many ticks in 1,000 commands
    std::uint32_t owners = 0;             // number of participants, each order with a random policy; 0: none
    std::uint32_t pro_rata = 0;           // number of symbols, the last ones, that match pro rata

    std::vector<SymbolRules> rules() const {
        // Prices stay in a band without overflow.
        constexpr std::int64_t far = std::int64_t{1} << 40;
        std::vector<SymbolRules> all(symbols, SymbolRules{1, 1, -far, far});
        for (std::uint32_t symbol = symbols - pro_rata; symbol < symbols; ++symbol)
            all[symbol].algorithm = MatchAlgorithm::pro_rata;
        return all;
    }
};

/// The actual composition of the flow, over the commands after the seeding ones.
struct FlowComposition {
    std::array<std::uint64_t, acts> commands{};
    std::uint64_t trades = 0;
    std::uint64_t rejects = 0;
    std::uint64_t aggressors = 0;      // commands that traded
    std::uint64_t levels_touched = 0;  // sum over these
    std::uint64_t levels_touched_max = 0;
    std::uint64_t live_sum = 0;  // sum over commands, for the mean
    std::uint64_t live_max = 0;
    std::uint64_t levels_sum = 0;
    std::uint64_t levels_max = 0;
    std::int64_t touch_min = std::numeric_limits<std::int64_t>::max();  // best prices seen, symbol 0
    std::int64_t touch_max = std::numeric_limits<std::int64_t>::min();
};

}  // namespace lowlat
