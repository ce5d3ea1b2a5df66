// Checks one order of a snapshot: its fields against one another, its queue, and its symbol's rules.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "engine/native/journal/saved_state.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/matching/trailing_stops.hpp"
#include "engine/native/matching/validation.hpp"

namespace lowlat {

/// Throw StateError, which names the field and its value, unless the rule holds.
template <typename Value>
void require(bool rule, const char* field, Value value, const char* why) {
    if (rule) [[likely]]
        return;
    std::string text;
    if constexpr (std::is_enum_v<Value>) {
        text = std::to_string(static_cast<std::underlying_type_t<Value>>(value));
    } else {
        text = std::to_string(value);
    }
    throw StateError(std::string(field) + " " + text + " " + why);
}

inline void require_zero(const std::uint8_t* bytes, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) require(bytes[at] == 0, "zero", bytes[at], "is not 0");
}

inline bool is_price(const SymbolRules& rules, std::int64_t price) {
    return check_price(rules, price) == Reason::none;
}

inline void require_quantity(const SymbolRules& rules, const char* field, std::uint64_t quantity) {
    require(quantity <= quantity_max, field, quantity, "is more than an order can have");
    require(quantity % static_cast<std::uint64_t>(rules.lot) == 0, field, quantity, "is not a multiple of the lot");
}

/// What an order is checked against: its book, as it will be, and its queue there.
struct SavedQueue {
    const Book& book;  // for its rules
    std::int64_t last;
    bool traded;
    std::uint64_t sequence;
    std::uint64_t clock;
    Side side;
    bool waits;
};

/// Checks one order. Everything that its command was checked for still holds, and what became of it since is possible.
class SavedOrderCheck {
  public:
    SavedOrderCheck(const SavedQueue& queue, const SavedOrder& order) : queue_(queue), order_(order) {}

    /// All but the OrderAttributes.
    void check() {
        require_zero(order_.zero, sizeof order_.zero);
        require(order_.side == byte_of(queue_.side), "side", order_.side, "is not the side of its queue");
        require((order_.attributes & ~attributes_known) == 0, "attributes", order_.attributes, "has unknown bits");
        require(has(attribute_waits) == queue_.waits, "attributes", order_.attributes,
                queue_.waits ? "is of an order that does not wait" : "is of a stop that waits");
        require(!has(attribute_day) || !has(attribute_gtd), "attributes", order_.attributes, "has two times in force");
        require(order_.quantity != 0, "quantity", order_.quantity, "is none");
        require_quantity(rules(), "quantity", order_.quantity);
        require(order_.has_attributes <= 1, "has_attributes", order_.has_attributes, "is neither 0 nor 1");
        require(!has(attributes_stored) || order_.has_attributes == 1, "has_attributes", order_.has_attributes,
                "contradicts attributes");
        check_key();
    }

    void check(const OrderAttributes& its) {
        check_kind(its);
        check_flags(its);
        check_bits(its);
        check_sizes(its);
        check_prices(its);
        require(its.accepted < queue_.sequence, "accepted", its.accepted, "is after the last command");
        require(known(its.self_trade), "self_trade", its.self_trade, "is unknown");
        require(its.prev == nil, "prev", its.prev, "is not 0");
        require(its.place == 0, "place", its.place, "is not 0");
        require(its.pending == 0, "pending", its.pending, "is not 0");
        require(trails(its) || its.next == nil, "next", its.next, "is of an order that does not trail");
        require(its.chained == nil, "chained", its.chained, "is not 0");
    }

    bool trails(const OrderAttributes& its) const { return queue_.waits && its.kind == CommandType::trailing_stop; }

  private:
    static constexpr std::uint8_t attributes_known = 2 * attribute_waits - 1;

    const SymbolRules& rules() const { return queue_.book.rules; }
    bool has(std::uint8_t attribute) const { return (order_.attributes & attribute) != 0; }

    /// The side of the prices by which the queue is sorted: that of a stop is the other one.
    Side key_side() const { return queue_.waits ? opposite(queue_.side) : queue_.side; }

    /// The price at which it rests, or its trigger.
    std::int64_t price() const { return queue_.book.price_of(key_side(), order_.key); }

    void check_key() const {
        const std::int64_t ticks = order_.key ^ Book::mirror(key_side());
        std::int64_t price = 0;
        const bool overflows = __builtin_mul_overflow(ticks, rules().tick, &price);
        require(!overflows && is_price(rules(), price), "key", order_.key, "is of a price outside the band");
        const bool reached = queue_.waits && queue_.traded && order_.key <= queue_.book.key_of(key_side(), queue_.last);
        require(!reached, "key", order_.key, "is of a trigger that the last price has reached");
    }

    void check_kind(const OrderAttributes& its) const {
        const bool is_stop = its.kind == CommandType::stop || its.kind == CommandType::trailing_stop;
        const bool fits =
            its.kind == CommandType::stop_limit || (queue_.waits ? is_stop : its.kind == CommandType::limit);
        require(fits, "kind", its.kind, queue_.waits ? "does not wait" : "does not rest");
        require(has(attributes_stored) || its.kind == CommandType::stop_limit, "kind", its.kind,
                "has no attributes to keep");
    }

    TimeInForce time_in_force() const {
        if (has(attribute_gtd)) return TimeInForce::gtd;
        return has(attribute_day) ? TimeInForce::day : TimeInForce::gtc;
    }

    void check_flags(const OrderAttributes& its) {
        may_ = may_say[static_cast<std::size_t>(its.kind)][static_cast<std::size_t>(time_in_force())];
        require(may_ != 0, "kind", its.kind, "does not take its time in force");
        require((its.flags & ~(may_ & flags_known)) == 0, "flags", its.flags, "is not of its kind");
        const bool slides_only = (its.flags & (flag_price_slide | flag_post_only)) == flag_price_slide;
        require(!slides_only, "flags", its.flags, "slides without being post-only");
        if ((its.flags & flag_all_or_none) == 0) return;
        const bool conflict =
            (its.flags & flag_post_only) != 0 || its.display_quantity != 0 || rules().algorithm != MatchAlgorithm::fifo;
        require(!conflict, "flags", its.flags, "is all-or-none, which excludes its other terms");
    }

    /// Each bit of `attributes` says that a field is used.
    void check_bits(const OrderAttributes& its) const {
        require(has(attribute_gtd) == (its.expiry != 0), "expiry", its.expiry, "contradicts attributes");
        require(its.expiry == 0 || its.expiry > queue_.clock, "expiry", its.expiry, "is not after the clock");
        require(has(attribute_participant) == (its.participant_id != 0), "participant_id", its.participant_id,
                "contradicts attributes");
        require(has(attribute_iceberg) == (its.display_quantity != 0), "display_quantity", its.display_quantity,
                "contradicts attributes");
        require(has(attribute_all_or_none) == ((its.flags & flag_all_or_none) != 0), "flags", its.flags,
                "contradicts attributes");
    }

    void check_sizes(const OrderAttributes& its) const {
        if (!has(attribute_iceberg))
            return require(its.reserve_quantity == 0, "reserve_quantity", its.reserve_quantity, "is of no iceberg");
        require((may_ & says_display_quantity) != 0, "display_quantity", its.display_quantity, "is not of its kind");
        require_quantity(rules(), "display_quantity", its.display_quantity);
        require_quantity(rules(), "reserve_quantity", its.reserve_quantity);
        require(order_.quantity <= its.display_quantity, "quantity", order_.quantity, "is more than its display");
        const std::uint64_t total = std::uint64_t{order_.quantity} + its.reserve_quantity;
        require(total <= quantity_max && few_slices(static_cast<std::int64_t>(total), its.display_quantity),
                "reserve_quantity", its.reserve_quantity, "is more than an iceberg can have");
    }

    void check_prices(const OrderAttributes& its) const {
        if (trails(its)) return check_trail(its);
        const bool sound = its.kind == CommandType::stop ? its.price == 0 : is_price(rules(), its.price);
        require(sound, "price", its.price, "is not one of its kind");
        const bool triggered = !queue_.waits && its.kind == CommandType::stop_limit;
        require(triggered ? is_price(rules(), its.anchor) : its.anchor == 0, "anchor", its.anchor,
                triggered ? "is not a trigger" : "is of an order that does not trail");
    }

    /// The anchor is the best price since the order's entry, so the last price is not better.
    void check_trail(const OrderAttributes& its) const {
        ExtendedCommand command{};
        command.kind = its.kind;
        command.flags = its.flags;
        command.trigger = its.distance;
        require(check_trigger(command, rules()) == Reason::none, "distance", its.distance, "is none of a trail");
        require(queue_.traded, "kind", its.kind, "trails, but nothing has traded");
        const bool best = queue_.side == Side::buy ? its.anchor <= queue_.last : its.anchor >= queue_.last;
        require(is_price(rules(), its.anchor) && best, "anchor", its.anchor, "is not the best price since its entry");
        const Trail trail{.distance = its.distance, .flags = its.flags};
        require(trailing_trigger(rules(), queue_.side, its.anchor, trail) == price(), "key", order_.key,
                "is not that of its trigger");
    }

    const SavedQueue& queue_;
    const SavedOrder& order_;
    unsigned may_ = 0;  // what its kind may say, see may_say
};

}  // namespace lowlat
