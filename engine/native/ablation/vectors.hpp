// Sums of prices and updates of levels in two translation units: one with vector instructions, one without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// Not in namespace lowlat, which without_vectors.cpp gives another name.
namespace lowlat_vectors {

/// Sum of price times quantity, and of quantity, as digits of base 2^32.
struct Sums {
    std::uint64_t digits[12];
};

using SumPrices = Sums (*)(std::span<const std::int64_t> prices, const std::uint32_t* quantities);
/// By the bytes of LevelRow and LevelUpdate. Returns how many levels there are then; 0 if they could not be updated.
using UpdateLevels = std::size_t (*)(std::span<const std::byte> levels, std::span<const std::byte> updates,
                                     std::byte* to);

struct Kernels {
    SumPrices sum_prices;
    UpdateLevels update_levels;
};

extern const Kernels with_vectors;
extern const Kernels without_vectors;

}  // namespace lowlat_vectors
