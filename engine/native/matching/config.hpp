// The sizes of a matcher; validated in Python (engine/matching/config.py).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

/// Whether even simple commands need more than price-time matching.
inline bool is_restricted(const SymbolRules& rules) {
    return rules.algorithm != MatchAlgorithm::fifo || rules.off_tick != TickRounding::reject;
}

struct EngineConfig {
    std::vector<SymbolRules> symbols;
    std::uint32_t orders = 0;
    std::uint64_t trades = 0;
    PoolPolicy when_orders_dry = PoolPolicy::reject;
    PoolPolicy when_trades_dry = PoolPolicy::recycle;
    std::uint32_t window = 0;  // of a ladder, a power of two; 0: as the number of symbols permits
    OrderIds ids = OrderIds::per_symbol;
    Touch touch = Touch::all;  // of the pools and windows

    /// Orders and levels have 32-bit handles; one value is nil and one marks free nodes.
    static constexpr std::uint32_t orders_limit = std::uint32_t{1} << 30;

    /// How many orders have addresses: a pool that may grow keeps its place up to there.
    std::uint32_t orders_with_room() const {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(with_room(orders, when_orders_dry), orders_limit));
    }
    /// The same for the tape.
    std::uint64_t trades_with_room() const { return with_room(trades, when_trades_dry); }

    /// Window of a ladder in keys, found by index. A single book gets 131,072; many books share about half a million.
    std::uint32_t window_places() const {
        if (window != 0) return window;
        constexpr std::uint64_t shared = 1U << 19;
        const std::uint64_t share = std::bit_floor(shared / symbols.size());
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(share, 256, 1U << 17));
    }
    /// The same for a ladder of stops, which few orders touch: 4,096 for a single book, 64 for many.
    std::uint32_t stop_places() const { return std::max<std::uint32_t>(64, window_places() / 32); }

  private:
    /// Six doublings, or more if there is little: a process has far more addresses than a host has memory.
    static std::uint64_t with_room(std::uint64_t count, PoolPolicy when_dry) {
        return when_dry == PoolPolicy::grow ? std::max(64 * count, std::uint64_t{1} << 24) : count;
    }
};

}  // namespace lowlat
