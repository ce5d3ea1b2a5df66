// What few orders have to say beyond price and quantity, apart from the nodes that every order touches.
#pragma once

#include <cstdint>

#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Bits of `OrderBody::attributes`.
inline constexpr std::uint8_t attribute_day = 1;
inline constexpr std::uint8_t attribute_gtd = 2;
inline constexpr std::uint8_t attribute_participant = 4;
inline constexpr std::uint8_t attribute_iceberg = 8;
inline constexpr std::uint8_t attribute_all_or_none = 16;
inline constexpr std::uint8_t attribute_waits = 32;  // a stop that has not been triggered

/// Those that need an `OrderAttributes`. Day orders are only looked for when their day ends.
inline constexpr std::uint8_t attributes_stored = 0xFF & ~attribute_day;
/// Those that a command without attributes must know of when it meets the order.
inline constexpr std::uint8_t attributes_met = attribute_iceberg | attribute_all_or_none | attribute_waits;

struct alignas(64) OrderAttributes {
    // Orders before and behind in the book's list of trailing or due stops; the pool's while this is free.
    Handle next;
    Handle prev;
    union {
        std::int64_t price;     // a stop-limit's limit
        std::int64_t distance;  // how far a trailing stop trails
    };
    std::int64_t anchor;  // a trailing stop's best trade price; of a due stop, the trigger it had
    std::uint64_t expiry;
    std::uint64_t accepted;  // sequence of the command that entered it
    std::uint32_t participant_id;
    std::uint32_t display_quantity;  // an iceberg's slice
    std::uint32_t reserve_quantity;  // and what it has behind the slice it shows
    std::uint32_t place;             // in the heap of expiries
    CommandType kind;
    std::uint8_t flags;
    SelfTradePrevention self_trade;
    std::uint8_t zero[5];
};
static_assert(sizeof(OrderAttributes) == 64);

}  // namespace lowlat
