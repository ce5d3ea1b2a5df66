// Converts prices to ticks on the hot path without a division.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Divides prices by one tick without a division. With tick = odd * 2^shift, a multiple of the tick divides exactly by
/// a shift and a multiplication with the inverse of `odd` modulo 2^64; any other price gives a quotient beyond
/// int64 / odd, or has one of the low bits set (T. Granlund, P. L. Montgomery, "Division by Invariant Integers", 1994).
class TickDivider {
  public:
    explicit TickDivider(std::int64_t tick)
        : shift_(std::countr_zero(static_cast<std::uint64_t>(tick))), low_bits_((std::int64_t{1} << shift_) - 1) {
        const std::uint64_t odd = static_cast<std::uint64_t>(tick) >> shift_;
        inverse_ = odd;  // correct in three bits; each Newton step doubles that
        for (int step = 0; step < 5; ++step) inverse_ *= 2 - odd * inverse_;
    }

    /// The price in ticks, if it is a multiple of the tick.
    LOWLAT_INLINE std::int64_t ticks(std::int64_t price) const {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(price >> shift_) * inverse_);
    }

    LOWLAT_INLINE bool low_bits_clear(std::int64_t price) const { return (price & low_bits_) == 0; }

  private:
    int shift_;
    std::int64_t low_bits_;
    std::uint64_t inverse_;
};

}  // namespace lowlat
