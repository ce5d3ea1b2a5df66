// What few orders have to say beyond price and quantity, apart from the nodes that every order touches.
#pragma once

#include <cstdint>

#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Bits of `OrderBody::terms`.
inline constexpr std::uint8_t term_day = 1;
inline constexpr std::uint8_t term_gtd = 2;
inline constexpr std::uint8_t term_owner = 4;
inline constexpr std::uint8_t term_iceberg = 8;
inline constexpr std::uint8_t term_all_or_none = 16;
inline constexpr std::uint8_t term_waits = 32;  // a stop that has not been triggered

/// Those that need an `OrderTerms`. Day orders are only looked for when their day ends.
inline constexpr std::uint8_t terms_kept = 0xFF & ~term_day;
/// Those that a command without terms must know of when it meets the order.
inline constexpr std::uint8_t terms_met = term_iceberg | term_all_or_none | term_waits;

struct alignas(64) OrderTerms {
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
static_assert(sizeof(OrderTerms) == 64);

}  // namespace lowlat
