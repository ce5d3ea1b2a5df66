// A caller's settings, with the same checks as engine/matching/config.py and engine/matching/instrument.py.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/status.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Read `size` bytes of a struct from a caller that may use another version. False if it is shorter than the first
/// version (the only one so far), or if fields unknown here are nonzero.
template <typename Struct>
bool read_sized(const void* from, std::size_t size, Struct& to) {
    if (size < sizeof(Struct)) return false;
    const auto* bytes = static_cast<const unsigned char*>(from);
    std::memcpy(&to, bytes, sizeof(Struct));
    return std::all_of(bytes + sizeof(Struct), bytes + size, [](unsigned char byte) { return byte == 0; });
}

inline bool within(std::int64_t value, std::int64_t low, std::int64_t high) {
    return low <= value && value <= high;
}

inline bool sound(const lowlat_symbol_rules& rules) {
    return rules.tick >= 1 && within(rules.lot, 1, quantity_max) && rules.price_min <= rules.price_max &&
           known(MatchAlgorithm{rules.algorithm}) && known(TickRounding{rules.off_tick});
}

inline bool sound(const lowlat_engine_config& settings) {
    return within(settings.symbols, 1, symbols_max) && within(settings.orders, 1, orders_max) && settings.trades >= 1 &&
           settings.trades <= trades_max && settings.when_orders_dry <= LOWLAT_POOL_GROW &&
           settings.when_trades_dry <= LOWLAT_POOL_RECYCLE;
}

/// The settings as the matcher takes them. Throws EngineError, std::bad_alloc.
inline EngineConfig read_settings(const lowlat_engine_config& from) {
    lowlat_engine_config known{};
    if (!read_sized(&from, from.size, known)) refuse(LOWLAT_UNKNOWN_SIZE);
    if (known.rules == nullptr) refuse(LOWLAT_NULL_ARGUMENT);
    if (!sound(known)) refuse(LOWLAT_BAD_CONFIG);
    EngineConfig to{.symbols = {},
                    .orders = known.orders,
                    .trades = known.trades,
                    .when_orders_dry = static_cast<PoolPolicy>(known.when_orders_dry),
                    .when_trades_dry = static_cast<PoolPolicy>(known.when_trades_dry)};
    const auto* row = reinterpret_cast<const unsigned char*>(known.rules);
    for (std::uint32_t symbol = 0; symbol < known.symbols; ++symbol, row += known.rules_size) {
        lowlat_symbol_rules rules{};
        if (!read_sized(row, known.rules_size, rules)) refuse(LOWLAT_UNKNOWN_SIZE);
        if (!sound(rules)) refuse(LOWLAT_BAD_RULES);
        to.symbols.push_back(std::bit_cast<SymbolRules>(rules));
    }
    return to;
}

}  // namespace lowlat
