// A loop of known length before each command, for measuring whether a gate finds a slowdown of known size
// (tools/measure/gate_live.py). Only in a build with LOWLAT_PLANTED_SPIN; in any other, nothing.
#pragma once

#include "engine/native/platform/compiler.hpp"

#if defined(LOWLAT_PLANTED_SPIN)
#include <cstdint>
#include <cstdlib>
#endif

namespace lowlat {

#if defined(LOWLAT_PLANTED_SPIN)
/// Iterations before each command, as the environment says when the process starts.
inline const std::uint64_t planted_spin_units = [] {
    const char* units = std::getenv("LOWLAT_PLANTED_SPIN_UNITS");
    return units == nullptr ? 0 : std::strtoull(units, nullptr, 10);
}();

LOWLAT_INLINE void planted_spin() {
    for (std::uint64_t left = planted_spin_units; left != 0; --left) asm volatile("" : "+r"(left));
}
#else
LOWLAT_INLINE void planted_spin() {}
#endif

}  // namespace lowlat
