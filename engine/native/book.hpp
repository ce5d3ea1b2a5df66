// One symbol: its rules, and a ladder for each side.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/native/hints.hpp"
#include "engine/native/ladder.hpp"
#include "engine/native/records.hpp"
#include "engine/native/settings.hpp"
#include "engine/native/tick_divider.hpp"

namespace lowlat {

struct alignas(64) Book {
    Book(const Rules& its_rules, Ladder&& bids, Ladder&& asks)
        : rules(its_rules), divider(its_rules.tick), ladders{std::move(bids), std::move(asks)} {
        // Division rounds towards zero: the ends of the band must not move outwards.
        ticks_min = rules.price_min / rules.tick + (rules.price_min % rules.tick > 0 ? 1 : 0);
        const std::int64_t ticks_max = rules.price_max / rules.tick - (rules.price_max % rules.tick < 0 ? 1 : 0);
        band = static_cast<std::uint64_t>(ticks_max) - static_cast<std::uint64_t>(ticks_min);
        quantities = rules.lot == 1 && ticks_min <= ticks_max ? quantity_max : 0;
    }

    /// Whether quantity and price obey the rules. False also where a lot needs a division, or the band holds no tick:
    /// then `Matcher::why_not_terms` decides.
    LOWLAT_INLINE bool sound(const Command& command) const {
        const std::int64_t ticks = divider.ticks(command.price);
        const bool price = divider.low_bits_clear(command.price) &&
                           static_cast<std::uint64_t>(ticks) - static_cast<std::uint64_t>(ticks_min) <= band;
        return static_cast<std::uint64_t>(command.quantity) - 1 < quantities && price;
    }

    Rules rules;
    TickDivider divider;
    std::int64_t ticks_min;    // lowest price of the band, in ticks
    std::uint64_t band;        // ticks from there to the highest
    std::uint64_t quantities;  // the largest quantity that `sound` may allow
    Ladder ladders[2];
};

}  // namespace lowlat
