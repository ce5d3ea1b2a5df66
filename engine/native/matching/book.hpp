// One symbol: its rules, a ladder for each side, and its stops.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/native/matching/config.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/matching/tick_divider.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

struct alignas(64) Book {
    Book(const SymbolRules& its_rules, Ladder&& bids, Ladder&& asks, Ladder&& buy_stops, Ladder&& sell_stops)
        : rules(its_rules),
          divider(its_rules.tick),
          ladders{{std::move(bids), std::move(asks)}},
          stops{{std::move(buy_stops), std::move(sell_stops)}} {
        // Division rounds toward zero: the ends of the band must not move outwards.
        ticks_min = rules.price_min / rules.tick + (rules.price_min % rules.tick > 0 ? 1 : 0);
        const std::int64_t ticks_max = rules.price_max / rules.tick - (rules.price_max % rules.tick < 0 ? 1 : 0);
        band = static_cast<std::uint64_t>(ticks_max) - static_cast<std::uint64_t>(ticks_min);
        quantities_simple = rules.lot == 1 && ticks_min <= ticks_max ? quantity_max : 0;
        note(is_restricted(rules) ? 1 : 0);
    }

    /// The key of a price on a side's ladder (see ladder.hpp).
    LOWLAT_INLINE std::int64_t key_of(Side side, std::int64_t price) const {
        return divider.ticks(price) ^ mirror(side);
    }
    LOWLAT_INLINE std::int64_t price_of(Side side, std::int64_t key) const { return (key ^ mirror(side)) * rules.tick; }

    /// Every level's key is up to this one.
    static constexpr std::int64_t any_key = std::numeric_limits<std::int64_t>::max();

    /// One thing more or less that commands without attributes must know of: an order with attributes that it may meet,
    /// a stop that waits, a phase in which nothing trades, a rule of the symbol. While there is any, no command is
    /// `sound`.
    void note(std::int32_t more) {
        restricted += static_cast<std::uint32_t>(more);
        quantities = restricted == 0 ? quantities_simple : 0;
    }

    void set_phase(TradingPhase next) {
        note((next == TradingPhase::continuous ? 0 : 1) - (phase == TradingPhase::continuous ? 0 : 1));
        phase = next;
    }

    /// Whether quantity and price obey the rules. False also where a lot needs a division, or the band holds no tick,
    /// or FullPath has to look: then the checks one by one decide.
    LOWLAT_INLINE bool sound(const Command& command) const {
        const std::int64_t ticks = divider.ticks(command.price);
        const bool price = divider.low_bits_clear(command.price) &&
                           static_cast<std::uint64_t>(ticks) - static_cast<std::uint64_t>(ticks_min) <= band;
        return static_cast<std::uint64_t>(command.quantity) - 1 < quantities && price;
    }

    /// Whether the best prices of the two sides meet: all-or-none orders and calls make it so.
    bool crossed() const {
        const auto& [bids, asks] = ladders.of;
        return bids.best() != nil && asks.best() != nil && ~bids.best_key() >= asks.best_key();
    }

    /// Bids, asks, buy stops, sell stops.
    std::array<Ladder*, 4> queues() { return {&ladders.of[0], &ladders.of[1], &stops.of[0], &stops.of[1]}; }
    std::array<const Ladder*, 4> queues() const { return {&ladders.of[0], &ladders.of[1], &stops.of[0], &stops.of[1]}; }

    /// Whether an all-or-none order may be able to trade, though no command meets it.
    LOWLAT_INLINE bool may_fill() const { return (all_or_none[Side::buy] | all_or_none[Side::sell]) != 0 && crossed(); }

    /// Empty, continuous, and never traded.
    void reset() {
        for (Ladder& ladder : ladders) ladder.reset();
        for (Ladder& ladder : stops) ladder.reset();
        phase = TradingPhase::continuous;
        traded = false;
        last = 0;
        all_or_none = {};
        trailing = {};
        due = {};
        restricted = 0;
        note(is_restricted(rules) ? 1 : 0);
    }

    /// Orders in a list that runs through their attributes.
    struct List {
        Handle first = nil;
        Handle last = nil;
    };

    static LOWLAT_INLINE std::int64_t mirror(Side side) { return std::int64_t{byte_of(side)} - 1; }

    SymbolRules rules;
    TickDivider divider;
    std::int64_t ticks_min;    // lowest price of the band, in ticks
    std::uint64_t band;        // ticks from there to the highest
    std::uint64_t quantities;  // the largest quantity that `sound` may allow
    std::uint64_t quantities_simple;
    std::uint32_t restricted = 0;  // see note()
    TradingPhase phase = TradingPhase::continuous;
    bool traded = false;    // whether there is a last price
    std::int64_t last = 0;  // price of the last trade
    PerSide<std::uint32_t> all_or_none{};
    PerSide<Ladder> ladders;
    PerSide<Ladder> stops;   // by trigger: the first that a price moving their way meets is best
    PerSide<List> trailing;  // oldest first, and so the nearest anchor last
    List due;                // triggered, and not yet carried out
};

}  // namespace lowlat
