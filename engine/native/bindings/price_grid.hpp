// Finds books whose prices are all multiples of more than the tick, which costs: most levels are then outside of the
// ladders' windows.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>

#include "engine/native/matching/exclusive_use.hpp"

namespace lowlat {

/// A symbol, and the largest number of price units that the prices of all its levels are multiples of.
struct CoarseGrid {
    std::uint32_t symbol;
    std::int64_t grid;
};

/// The first symbol with a coarser grid than its tick, if most levels of the book are outside of the windows.
std::optional<CoarseGrid> coarse_grid(const Matcher& matcher);

/// Once an engine has executed so many commands, tell a user, by a Python warning, of such a symbol. Throws what the
/// warning becomes if warnings are errors.
constexpr std::uint64_t grid_check_commands = 1 << 16;
void warn_of_grid(OwnedMatcher& matcher);

}  // namespace lowlat
