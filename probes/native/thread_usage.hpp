// The kernel's counters of the calling thread, read right before and right after a measured section.
#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <cstdint>

namespace lowlat {

struct ThreadUsage {
    std::uint64_t voluntary_switches = 0;    // the thread blocked
    std::uint64_t involuntary_switches = 0;  // preempted by another thread
    std::uint64_t minor_faults = 0;          // a page mapped on first touch
    std::uint64_t major_faults = 0;          // a page read from disk
    int error = 0;                           // errno; ENOSYS where the platform counts per process only
};

// One system call; allocates nothing and touches no new page.
inline ThreadUsage read_thread_usage() noexcept {
    ThreadUsage usage;
#if defined(RUSAGE_THREAD)
    rusage counted{};
    if (getrusage(RUSAGE_THREAD, &counted) != 0) {
        usage.error = errno;
        return usage;
    }
    usage.voluntary_switches = static_cast<std::uint64_t>(counted.ru_nvcsw);
    usage.involuntary_switches = static_cast<std::uint64_t>(counted.ru_nivcsw);
    usage.minor_faults = static_cast<std::uint64_t>(counted.ru_minflt);
    usage.major_faults = static_cast<std::uint64_t>(counted.ru_majflt);
#else
    usage.error = ENOSYS;
#endif
    return usage;
}

}  // namespace lowlat
