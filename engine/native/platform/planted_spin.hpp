// A loop of known length before each command, or before a share of them, for measuring whether a gate finds a slowdown
// of known size (tools/measure/gate_live.py). Only in a build with LOWLAT_PLANTED_SPIN; in any other, nothing.
#pragma once

#include "engine/native/platform/compiler.hpp"

#if defined(LOWLAT_PLANTED_SPIN)
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#endif

namespace lowlat {

#if defined(LOWLAT_PLANTED_SPIN)
inline std::uint64_t planted_number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Iterations of the loop, and every how many commands it runs, as the environment says when the process starts.
inline const std::uint64_t planted_spin_units = planted_number("LOWLAT_PLANTED_SPIN_UNITS", 0);
inline const std::uint64_t planted_spin_every =
    std::max<std::uint64_t>(planted_number("LOWLAT_PLANTED_SPIN_EVERY", 1), 1);
inline std::uint64_t planted_spin_left = 1;  // commands up to the next loop

LOWLAT_INLINE void planted_spin() {
    if (planted_spin_units == 0 || --planted_spin_left != 0) return;
    planted_spin_left = planted_spin_every;
    for (std::uint64_t left = planted_spin_units; left != 0; --left) asm volatile("" : "+r"(left));
}
#else
LOWLAT_INLINE void planted_spin() {}
#endif

}  // namespace lowlat
