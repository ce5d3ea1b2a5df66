// One symbol: its rules, a ladder per side, and its stops.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "engine/native/matching/config.hpp"
#include "engine/native/matching/depth_index.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/matching/sparse_levels.hpp"
#include "engine/native/matching/sparse_node.hpp"
#include "engine/native/matching/tick_divider.hpp"
#include "engine/native/matching/walk_count.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

struct alignas(64) Book {
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): in the order of queues()
    Book(const SymbolRules& its_rules, SparseRoom* room, const Ladder& bids, const Ladder& asks,
         const Ladder& buy_stops, const Ladder& sell_stops)
        : divider(its_rules.tick),
          ladders{{bids, asks}},
          stops{{buy_stops, sell_stops}},
          trailing{{Trailing(room), Trailing(room)}} {
        set_rules(its_rules);
        note(is_restricted(rules) ? 1 : 0);
    }

    /// Of a book without orders, and as restricted as before.
    void set_rules(const SymbolRules& its_rules) {
        rules = its_rules;
        divider = TickDivider(rules.tick);
        // Division rounds toward zero, but the ends of the band must not move outward.
        ticks_min = rules.price_min / rules.tick + (rules.price_min % rules.tick > 0 ? 1 : 0);
        const std::int64_t ticks_max = rules.price_max / rules.tick - (rules.price_max % rules.tick < 0 ? 1 : 0);
        band = static_cast<std::uint64_t>(ticks_max) - static_cast<std::uint64_t>(ticks_min);
        quantities_simple = rules.lot == 1 && ticks_min <= ticks_max ? quantity_max : 0;
    }

    /// The key of a price on a side's ladder (see ladder.hpp).
    LOWLAT_INLINE std::int64_t key_of(Side side, std::int64_t price) const {
        return divider.ticks(price) ^ mirror(side);
    }
    LOWLAT_INLINE std::int64_t price_of(Side side, std::int64_t key) const { return (key ^ mirror(side)) * rules.tick; }

    /// No level's key is above this one.
    static constexpr std::int64_t any_key = std::numeric_limits<std::int64_t>::max();

    /// Count one more or one less reason to keep commands off the simple path: an order with attributes that they may
    /// meet, a waiting stop, a phase without trading, a rule of the symbol. While there is any, no command is `sound`.
    void note(std::int32_t more) {
        restricted += static_cast<std::uint32_t>(more);
        quantities = restricted == 0 ? quantities_simple : 0;
    }

    void set_phase(TradingPhase next) {
        note((next == TradingPhase::continuous ? 0 : 1) - (phase == TradingPhase::continuous ? 0 : 1));
        phase = next;
    }

    /// Whether quantity and price, which is `ticks` ticks, obey the rules. Also false if the lot needs a division, the
    /// band contains no tick, or the book is restricted to FullPath: then the individual checks decide.
    LOWLAT_INLINE bool sound(const Command& command, std::int64_t ticks) const {
        const bool price = is_price(command.price, ticks);
        return static_cast<std::uint64_t>(command.quantity) - 1 < quantities && price;
    }

    /// Whether a price, which is `ticks` ticks, is a multiple of the tick and within the band.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as divider.ticks() takes and gives them
    LOWLAT_INLINE bool is_price(std::int64_t price, std::int64_t ticks) const {
        return divider.low_bits_clear(price) &&
               static_cast<std::uint64_t>(ticks) - static_cast<std::uint64_t>(ticks_min) <= band;
    }

    /// Whether the best bid reaches the best ask, as all-or-none orders and call phases allow.
    bool crossed() const {
        const auto& [bids, asks] = ladders.of;
        return bids.best() != nil && asks.best() != nil && ~bids.best_key() >= asks.best_key();
    }

    /// Bids, asks, buy stops, sell stops.
    std::array<Ladder*, 4> queues() { return {&ladders.of[0], &ladders.of[1], &stops.of[0], &stops.of[1]}; }
    std::array<const Ladder*, 4> queues() const { return {&ladders.of[0], &ladders.of[1], &stops.of[0], &stops.of[1]}; }

    /// Whether an all-or-none order may be able to trade without an incoming order.
    LOWLAT_INLINE bool may_fill() const { return retry[Side::buy] | retry[Side::sell]; }

    /// Have those all-or-none orders tried again that a change of an order at `key` may let trade.
    void retry_after_change(const OrderBody& order, std::int64_t key) {
        const Side other = opposite(order.side);
        if (all_or_none[other] != 0 && key <= ~ladders[other].best_key()) retry[other] = true;
        if ((order.attributes & attribute_all_or_none) != 0) retry[order.side] = true;
    }

    void drop_index() {
        if (index == nullptr) return;
        index.reset();
        walks = {};
        note(-1);
    }

    /// Back to empty, continuous, and never traded.
    void reset() {
        for (Ladder& ladder : ladders) ladder.reset();
        for (Ladder& ladder : stops) ladder.reset();
        phase = TradingPhase::continuous;
        traded = false;
        day_orders = false;
        last = 0;
        all_or_none = {};
        for (Trailing& trees : trailing) trees.reset();
        due = {};
        retry = {};
        walks = {};
        index.reset();
        restricted = 0;
        note(is_restricted(rules) ? 1 : 0);
    }

    /// A list of orders, linked through their attributes.
    struct List {
        Handle first = nil;
        Handle last = nil;
    };

    /// The trailing stops of one side; see trailing_stops.hpp.
    struct Trailing {
        explicit Trailing(SparseRoom* room) : relative(room) {}

        bool empty() const { return absolute == nil && relative.empty(); }
        void reset() {
            absolute = nil;
            relative.clear();
            best_left = false;
        }

        Handle absolute = nil;      // the tree of distances in price units
        SparseLevels relative;      // the trees of distances in basis points, by distance
        std::int64_t nearest = 0;   // no anchor is passed before this one
        std::int64_t best_key = 0;  // of the trigger that a price reaches first, or of one that was before it
        bool best_left = false;     // the latter
    };

    /// A book's ladders, and its trees of trailing stops in basis points.
    static constexpr std::uint64_t sparse_trees = 6;

    static LOWLAT_INLINE std::int64_t mirror(Side side) { return std::int64_t{byte_of(side)} - 1; }

    SymbolRules rules;
    TickDivider divider;
    std::int64_t ticks_min;    // lowest price of the band, in ticks
    std::uint64_t band;        // ticks from there to the highest
    std::uint64_t quantities;  // the largest quantity that `sound` accepts
    std::uint64_t quantities_simple;
    std::uint32_t restricted = 0;  // see note()
    TradingPhase phase = TradingPhase::continuous;
    bool traded = false;      // whether there is a last price
    bool day_orders = false;  // whether a DAY order has come since the last end of a day
    std::int64_t last = 0;    // price of the last trade
    PerSide<std::uint32_t> all_or_none{};
    PerSide<Ladder> ladders;
    PerSide<Ladder>
        stops;  // with a fixed trigger, by it; the best is the first that a price moving toward them reaches
    PerSide<Trailing> trailing;
    std::uint64_t stop_moments = 0;  // counts the times at which a stop came to its trigger
    List due;                        // triggered, not yet executed
    // Sides whose all-or-none orders are to be tried again: within their reach, or at one of them, something changed.
    PerSide<bool> retry{};
    WalkCount walks;
    std::unique_ptr<DepthIndex> index;  // counts as a reason in note()
};

}  // namespace lowlat
