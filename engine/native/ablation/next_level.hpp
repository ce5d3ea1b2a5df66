// How the next price with orders is found: in a bitmap, or by looking at each price's slot.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/matching/bitmap_tree.hpp"
#include "engine/native/matching/pool.hpp"

namespace lowlat {

/// A window of prices, of which every 64th or so has a level: a book with gaps, as of a stock of high price.
inline constexpr std::uint32_t window_places = 1U << 14;
inline constexpr std::uint32_t places_per_level = 64;

/// Each operation goes on to the next level, and from the last one back to the first.
template <typename Next>
Pass walk_levels(const Trial& trial, std::uint32_t first, Next next) {
    std::uint32_t place = first;
    return measured_operations(trial, [&](std::uint64_t) {
        place = next(place);
        if (unlikely(place == BitmapTree::none)) place = first;
        use(place);
    });
}

inline Pass measure_next_level(const Trial& trial) {
    std::vector<std::uint64_t> words(BitmapTree::words(window_places));
    BitmapTree taken(words.data(), window_places);
    std::vector<Handle> slots(window_places, nil);
    Draw draw(trial.seed);
    for (std::uint32_t level = 1; level <= window_places / places_per_level; ++level) {
        const std::uint32_t place = draw.below(window_places);
        taken.set(place);
        slots[place] = Handle{level};
    }
    if (trial.with) return walk_levels(trial, taken.first(), [&](std::uint32_t place) { return taken.next(place); });
    return walk_levels(trial, taken.first(), [&](std::uint32_t place) {
        do ++place;
        while (place < window_places && slots[place] == nil);
        return place < window_places ? place : BitmapTree::none;
    });
}

}  // namespace lowlat
