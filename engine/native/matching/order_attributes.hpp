// Rare order attributes beyond price and quantity, stored apart from the nodes that every order touches.
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
inline constexpr std::uint8_t attribute_waits = 32;  // a stop not yet triggered
inline constexpr std::uint8_t attribute_kept = 64;   // has an `OrderAttributes`, still or from when it needed one

/// Those that need an `OrderAttributes`. Day orders are only searched for at the end of their day.
inline constexpr std::uint8_t attributes_stored = 0xFF & ~attribute_day;
/// Those that a command without attributes must consider when it meets the order.
inline constexpr std::uint8_t attributes_met = attribute_iceberg | attribute_all_or_none | attribute_waits;

struct alignas(64) OrderAttributes {
    Handle next;  // in the book's list of due stops; both are the pool's while this is free
    Handle prev;
    union {
        std::int64_t price;     // limit of a stop-limit order
        std::int64_t distance;  // trail distance of a trailing stop
    };
    std::int64_t anchor;  // trailing stop: its best trade price; due stop: its former trigger; other stops: since when
    std::uint64_t expiry;
    std::uint64_t accepted;  // sequence of the command that entered it
    std::uint32_t participant_id;
    std::uint32_t display_quantity;  // an iceberg's slice
    std::uint32_t reserve_quantity;  // and its quantity behind the displayed slice
    std::uint32_t place;             // in the heap of expiries
    CommandType kind;
    std::uint8_t flags;
    SelfTradePrevention self_trade;
    std::uint8_t pending;  // see trailing_stops.hpp
    Handle chained;        // see order_chain.hpp
};
static_assert(sizeof(OrderAttributes) == 64);

}  // namespace lowlat
