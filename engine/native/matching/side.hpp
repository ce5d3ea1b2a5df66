// The two sides of a book. A command's side is an untrusted byte: it is validated on entry, and is a `Side` from there
// on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

inline constexpr Side both_sides[] = {Side::buy, Side::sell};

/// The byte of a side in records.
LOWLAT_INLINE constexpr std::uint8_t byte_of(Side side) {
    return static_cast<std::uint8_t>(side);
}

LOWLAT_INLINE constexpr Side opposite(Side side) {
    return static_cast<Side>(byte_of(side) ^ 1);
}

LOWLAT_INLINE constexpr bool is_side(std::uint32_t byte) {
    return byte <= byte_of(Side::sell);
}

/// The side in a record: a command whose byte was validated, or an event other than a rejection.
template <typename Record>
LOWLAT_INLINE constexpr Side side_of(const Record& record) {
    return static_cast<Side>(record.side);
}

/// One value per side, bids or buys first.
template <typename T>
struct PerSide {
    T of[2];

    LOWLAT_INLINE constexpr T& operator[](Side side) { return of[static_cast<std::size_t>(side)]; }
    LOWLAT_INLINE constexpr const T& operator[](Side side) const { return of[static_cast<std::size_t>(side)]; }

    constexpr T* begin() { return of; }
    constexpr T* end() { return of + 2; }
    constexpr const T* begin() const { return of; }
    constexpr const T* end() const { return of + 2; }
};

}  // namespace lowlat
