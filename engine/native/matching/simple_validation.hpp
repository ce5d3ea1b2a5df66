// Validation of a command's fields against its symbol's rules, without looking at orders or levels.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

LOWLAT_INLINE bool rests(const Command& command) {
    return command.kind != CommandType::market && command.time_in_force == static_cast<std::uint8_t>(TimeInForce::gtc);
}

/// A GTC limit order of either side without flags: four bytes, compared at once.
LOWLAT_INLINE bool is_simple(const Command& command) {
    static_assert(std::endian::native == std::endian::little && offsetof(Command, side) == 29);
    std::uint32_t bytes;
    std::memcpy(&bytes, &command.kind, sizeof bytes);
    constexpr std::uint32_t either_side = 1U << 8;
    return (bytes & ~either_side) == static_cast<std::uint32_t>(CommandType::limit);
}

LOWLAT_INLINE Reason check_quantity(const Command& command, const Book& book) {
    if (command.quantity <= 0) return Reason::quantity_not_positive;
    if (command.quantity > quantity_max) return Reason::quantity_too_large;
    if (book.rules.lot != 1 && command.quantity % book.rules.lot != 0) return Reason::quantity_off_lot;
    return Reason::none;
}

/// Checks flags, quantity and price one by one; the order of the checks is part of the contract.
inline Reason check_attributes(const Command& command, const Book& book) {
    if ((command.flags & ~flag_post_only) != 0) return Reason::unknown_flag;
    if (const Reason reason = check_quantity(command, book); reason != Reason::none) return reason;
    if (command.kind == CommandType::market) return command.price == 0 ? Reason::none : Reason::price_on_market_order;
    if (command.price % book.rules.tick != 0) return Reason::price_off_tick;
    const bool inside = command.price >= book.rules.price_min && command.price <= book.rules.price_max;
    return inside ? Reason::none : Reason::price_outside_band;
}

inline Reason check_attributes_of_replace(const Command& command, const Book& book) {
    return command.time_in_force != 0 ? Reason::unknown_time_in_force : check_attributes(command, book);
}

}  // namespace lowlat
