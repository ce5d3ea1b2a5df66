// How a matcher is sized; validated in Python (engine/matching/config.py).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace lowlat {

enum class PoolPolicy : std::uint8_t { refuse = 0, grow = 1, recycle = 2 };

/// How the resting orders of one price share what comes in.
enum class MatchAlgorithm : std::int64_t { fifo = 0, pro_rata = 1 };

/// What becomes of a price between two ticks.
enum class TickRounding : std::int64_t { reject = 0, nearest = 1, passive = 2 };

/// One symbol's rules. Prices are multiples of `tick` within the band, quantities multiples of `lot`.
struct SymbolRules {
    std::int64_t tick = 1;
    std::int64_t lot = 1;
    std::int64_t price_min = 0;
    std::int64_t price_max = 0;
    MatchAlgorithm algorithm = MatchAlgorithm::fifo;
    TickRounding off_tick = TickRounding::reject;

    /// Whether plain commands, too, are matched by more than price and time.
    bool special() const { return algorithm != MatchAlgorithm::fifo || off_tick != TickRounding::reject; }
};

struct EngineConfig {
    std::vector<SymbolRules> symbols;
    std::uint32_t orders = 0;
    std::uint64_t trades = 0;
    PoolPolicy when_orders_dry = PoolPolicy::refuse;
    PoolPolicy when_trades_dry = PoolPolicy::recycle;

    /// Keys that a ladder finds by index. One book gets 131,072; many share about half a million.
    std::uint32_t window_places() const {
        constexpr std::uint64_t shared = 1U << 19;
        const std::uint64_t share = std::bit_floor(shared / symbols.size());
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(share, 256, 1U << 17));
    }
    /// The same of a ladder of stops, which few orders touch: 4,096 in the one book, 64 in many.
    std::uint32_t stop_places() const { return std::max<std::uint32_t>(64, window_places() / 32); }
};

}  // namespace lowlat
