// The kernels as the including file compiles them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/native/ablation/vectors.hpp"
#include "engine/native/analytics/level_updates.hpp"
#include "engine/native/analytics/vwap.hpp"

namespace lowlat {

inline lowlat_vectors::Sums compiled_sums(std::span<const std::int64_t> prices, const std::uint32_t* quantities) {
    const PriceSums sums =
        sum_prices32({std::as_bytes(prices).data(), sizeof(std::int64_t)},
                     {reinterpret_cast<const std::byte*>(quantities), sizeof(std::uint32_t)}, prices.size());
    lowlat_vectors::Sums told;
    std::ranges::copy(sums.products, told.digits);
    std::ranges::copy(sums.quantities, told.digits + sums.products.size());
    return told;
}

template <typename Lanes>
std::size_t compiled_updates(std::span<const std::byte> levels, std::span<const std::byte> updates, std::byte* to) {
    LevelUpdatesBy<Lanes> walk(
        {reinterpret_cast<const LevelRow*>(levels.data()), levels.size() / sizeof(LevelRow)},
        {reinterpret_cast<const LevelUpdate*>(updates.data()), updates.size() / sizeof(LevelUpdate)}, Side::sell,
        reinterpret_cast<LevelRow*>(to));
    return walk.apply(false).count;
}

}  // namespace lowlat
