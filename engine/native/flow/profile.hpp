// The profile of a synthetic flow, and the flow's actual composition.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/native/flow/distribution.hpp"
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

/// Where adds go, from the touch of their own side. Shares are in units of 2^-32.
struct PlacementProfile {
    static constexpr std::uint64_t as_it_falls = std::numeric_limits<std::uint64_t>::max();

    std::uint32_t spread_ticks = 0;  // 0: there is no placement
    std::uint64_t improve = 0;       // of adds, at this spread
    std::uint64_t join = 0;          // of the others
    std::uint64_t new_level = as_it_falls;
    Distribution improve_ticks;
    Distribution behind_ticks;
};

/// Orders that enter at most this many ticks behind the touch; the last band takes all others.
struct LifetimeBand {
    std::uint32_t within_ticks = 0;
    Distribution commands;
};

/// What aggressive orders take, in units of 2^-32: exactly the touch, exactly some levels, or less than the touch.
struct AggressionProfile {
    std::uint64_t clear = 0;
    std::uint64_t sweep = 0;
    Distribution sweep_levels;  // empty: there is no aggression
};

/// A profile, all in integers; validated and documented in Python (engine/flow/profile.py).
struct FlowProfile {
    std::array<std::uint32_t, acts> weights{};
    std::uint32_t symbols = 1;
    std::uint32_t live_orders = 0;     // kept within 1/16, or with lifetimes within 1/4
    std::uint32_t distance_ticks = 1;  // from the touch: the half-life, or the range when `uniform`
    std::uint32_t uniform = 0;
    std::uint32_t quantity_max = 1;           // of a resting order
    std::uint32_t take_quantity_max = 1;      // of an aggressive one
    std::uint32_t take_ticks = 0;             // how far through the touch an aggressive limit is priced
    std::uint32_t travel_ticks = 0;           // 0: orders are placed from the touch; else from an anchor that goes this
    std::uint32_t travel_per_1000 = 0;        // far down and up again, so many ticks in 1,000 commands
    std::uint32_t owners = 0;                 // number of participants, each order with a random policy; 0: none
    std::uint32_t pro_rata = 0;               // number of symbols, the last ones, that match pro rata
    std::vector<std::uint64_t> popularity{};  // weight of each symbol; may be empty if there is only one
    Distribution resting_quantity{};          // empty: up to quantity_max
    Distribution aggressive_quantity{};       // empty: up to take_quantity_max
    PlacementProfile placement{};
    std::vector<LifetimeBand> lifetimes{};  // empty: a cancel takes any live order
    AggressionProfile aggression{};

    std::uint32_t live_slack() const { return live_orders / (lifetimes.empty() ? 16 : 4) + 1; }
    std::uint32_t live_max() const { return live_orders + live_slack() + 1; }
    /// Whether the flow has a steady state that seeding orders alone would not be in.
    bool warms_up() const { return placement.spread_ticks != 0 || !lifetimes.empty(); }
    /// Commands that lead to the steady state.
    std::uint64_t warm_up_commands() const { return warms_up() ? std::max(100'000U, live_orders) : 0; }

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
