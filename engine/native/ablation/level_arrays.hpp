// Work on arrays of levels: laid out as columns or as records, and with vector instructions or without.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/ablation/vectors.hpp"
#include "engine/native/analytics/records.hpp"
#include "engine/native/analytics/vwap.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Of one side of a deep book: as records more than the first-level cache holds.
inline constexpr std::uint32_t scanned_levels = 4096;

inline std::vector<LevelRow> levels_to_scan(std::uint64_t seed) {
    Draw draw(seed);
    std::vector<LevelRow> levels(scanned_levels);
    for (std::uint32_t at = 0; at < scanned_levels; ++at)
        levels[at] = {std::int64_t{100'000} + at, std::uint64_t{1'000} + draw.below(1'000), 10, 0};
    return levels;
}

/// Call `pass_over()`, which does an operation on each level, until there were as many as the trial has; at least once.
/// What it returns is the pass's `events`: the same in both variants.
template <typename PassOver>
Pass measured_passes_over(const Trial& trial, PassOver pass_over) {
    const std::uint64_t times = std::max<std::uint64_t>(trial.operations / scanned_levels, 1);
    return measured_call(times * scanned_levels, [&] {
        std::uint64_t result = 0;
        for (std::uint64_t time = 0; time < times; ++time) {
            result = pass_over();
            use(result);
        }
        return result;
    });
}

/// A number that differs if a digit does, as good as always.
inline std::uint64_t digest_of(const auto& digits) {
    std::uint64_t digest = 0;
    for (const std::uint64_t digit : digits) digest = digest * 0x5851'F42D'4C95'7F2D + digit;
    return digest;
}

/// Each operation adds up a level's quantity, and its price times that; with: from columns.
inline Pass measure_level_scan(const Trial& trial) {
    const std::vector<LevelRow> levels = levels_to_scan(trial.seed);
    std::vector<std::int64_t> prices;
    std::vector<std::uint64_t> quantities;
    for (const LevelRow& level : levels) {
        prices.push_back(level.price);
        quantities.push_back(level.quantity);
    }
    const auto column = [&](const auto* first, std::size_t stride) {
        return Strided{reinterpret_cast<const std::byte*>(first), static_cast<std::ptrdiff_t>(stride)};
    };
    const Strided price =
        trial.with ? column(prices.data(), sizeof prices[0]) : column(&levels[0].price, sizeof levels[0]);
    const Strided quantity =
        trial.with ? column(quantities.data(), sizeof quantities[0]) : column(&levels[0].quantity, sizeof levels[0]);
    return measured_passes_over(trial,
                                [&] { return digest_of(sum_prices64(price, quantity, scanned_levels).products); });
}

inline const lowlat_vectors::Kernels& kernels_of(const Trial& trial) {
    return trial.with ? lowlat_vectors::with_vectors : lowlat_vectors::without_vectors;
}

/// Each operation adds a price times its quantity to a sum.
inline Pass measure_price_sums(const Trial& trial) {
    Draw draw(trial.seed);
    std::vector<std::int64_t> prices(scanned_levels);
    std::vector<std::uint32_t> quantities(scanned_levels);
    for (std::uint32_t at = 0; at < scanned_levels; ++at) {
        prices[at] = std::int64_t{90'000} + draw.below(20'000);
        quantities[at] = 1 + draw.below(1'000);
    }
    const lowlat_vectors::SumPrices sum = kernels_of(trial).sum_prices;
    return measured_passes_over(trial, [&] { return digest_of(sum(prices, quantities.data()).digits); });
}

/// Each operation adds an update to its level.
inline Pass measure_level_updates(const Trial& trial) {
    const std::vector<LevelRow> levels = levels_to_scan(trial.seed);
    std::vector<LevelUpdate> updates;
    updates.reserve(levels.size());
    for (const LevelRow& level : levels) updates.push_back({level.price, 5, 1, 0});
    std::vector<LevelRow> to(scanned_levels);
    const lowlat_vectors::UpdateLevels update = kernels_of(trial).update_levels;
    return measured_passes_over(trial, [&] {
        const std::size_t count = update(std::as_bytes(std::span(levels)), std::as_bytes(std::span(updates)),
                                         reinterpret_cast<std::byte*>(to.data()));
        return count << 32 ^ to[count / 2].quantity;
    });
}

}  // namespace lowlat
