// Pins the calling thread, for native threads that measure on a chosen CPU.
#pragma once

#include <cerrno>

#if defined(__linux__)
#include <sched.h>
#endif

namespace lowlat {

// Returns 0 or an errno; ENOSYS if the platform does not support pinning.
inline int pin_this_thread(unsigned cpu) noexcept {
#if defined(__linux__)
    // CPU_ALLOC rather than cpu_set_t: the fixed type ends at CPU 1023.
    cpu_set_t* set = CPU_ALLOC(cpu + 1);
    if (set == nullptr) return ENOMEM;
    const size_t bytes = CPU_ALLOC_SIZE(cpu + 1);
    CPU_ZERO_S(bytes, set);
    CPU_SET_S(cpu, bytes, set);
    const int error = sched_setaffinity(0, bytes, set) == 0 ? 0 : errno;
    CPU_FREE(set);
    return error;
#else
    static_cast<void>(cpu);
    return ENOSYS;
#endif
}

}  // namespace lowlat
