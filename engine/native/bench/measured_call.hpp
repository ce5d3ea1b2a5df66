// A pass over the commands between two readings of the clock, the counters and the OS noise.
#pragma once

#include <nanobind/nanobind.h>
#include <sys/resource.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/allocations.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// Duration and counters of one pass, read directly before and after its loop.
struct Pass {
    std::uint64_t commands;
    std::uint64_t events;
    std::uint64_t ticks;
    std::int64_t cpu_ns;
    std::int64_t allocations;  // -1: not counted in this build
    std::int64_t minor_faults;
    std::int64_t major_faults;
    std::int64_t voluntary_switches;
    std::int64_t involuntary_switches;
    std::vector<Event> tail;  // the last events of the pass, oldest first
};

inline std::int64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

inline rusage thread_usage() {
    rusage usage{};
#ifdef RUSAGE_THREAD
    getrusage(RUSAGE_THREAD, &usage);
#else
    getrusage(RUSAGE_SELF, &usage);
#endif
    return usage;
}

/// Run `loop`, which returns its number of events, between two readings of everything, with the GIL released.
template <typename Loop>
Pass measured_call(std::uint64_t commands, Loop loop) {
    const nanobind::gil_scoped_release released;
    thread_usage();  // warm-up call, which faults in the pages it touches
    const std::int64_t allocated = allocations();
    const rusage before = thread_usage();
    const std::int64_t cpu_start = thread_cpu_ns();
    const std::uint64_t start = ticks_begin();
    const std::uint64_t events = loop();
    const std::uint64_t ticks = ticks_end() - start;
    const std::int64_t cpu_ns = thread_cpu_ns() - cpu_start;
    const rusage after = thread_usage();
    return {
        .commands = commands,
        .events = events,
        .ticks = ticks,
        .cpu_ns = cpu_ns,
        .allocations = allocated < 0 ? -1 : allocations() - allocated,
        .minor_faults = after.ru_minflt - before.ru_minflt,
        .major_faults = after.ru_majflt - before.ru_majflt,
        .voluntary_switches = after.ru_nvcsw - before.ru_nvcsw,
        .involuntary_switches = after.ru_nivcsw - before.ru_nivcsw,
        .tail = {},
    };
}

}  // namespace lowlat
