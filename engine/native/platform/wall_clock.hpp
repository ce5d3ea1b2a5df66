// The time of day, for what other processes and people read.
#pragma once

#include <cstdint>
#include <ctime>

namespace lowlat {

/// Nanoseconds since 1970, a few milliseconds old at most: the kernel's last tick, read without entering it.
inline std::uint64_t coarse_wall_ns() {
    timespec now{};
#if defined(CLOCK_REALTIME_COARSE)
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
#else
    clock_gettime(CLOCK_REALTIME, &now);
#endif
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace lowlat
