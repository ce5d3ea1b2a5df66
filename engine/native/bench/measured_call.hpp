// A pass over the commands between two readings of the clock, the counters and the OS noise.
#pragma once

#include <nanobind/nanobind.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/allocations.hpp"
#include "probes/native/clock.hpp"
#include "probes/native/perf_group.hpp"
#include "probes/native/thread_usage.hpp"

namespace lowlat {

/// Duration and counters of one pass, read directly before and after its loop. A counter is -1 if it is not known.
struct Pass {
    std::uint64_t commands;
    std::uint64_t events;
    std::uint64_t ticks;
    std::int64_t cpu_ns;
    std::int64_t allocations;
    std::int64_t minor_faults;
    std::int64_t major_faults;
    std::int64_t voluntary_switches;
    std::int64_t involuntary_switches;
    PerfReading perf;         // by the thread's group; ENODATA without one
    std::vector<Event> tail;  // the last events of the pass, oldest first
};

/// The group that counts in passes of this thread; null for none.
inline thread_local const PerfGroup* counting_group = nullptr;

inline PerfReading read_counters() {
    return counting_group != nullptr ? counting_group->read() : PerfReading{.error = ENODATA};
}

inline constexpr std::int64_t unknown_count = -1;

/// CPU time of the calling thread so far.
inline std::int64_t thread_cpu_ns() {
    timespec now{};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return unknown_count;
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

inline std::int64_t cpu_ns_since(std::int64_t before) {
    const std::int64_t now = thread_cpu_ns();
    return before == unknown_count || now == unknown_count ? unknown_count : now - before;
}

/// A counter's difference between two readings, if both succeeded.
inline std::int64_t counted(const ThreadUsage& before, const ThreadUsage& after, std::uint64_t ThreadUsage::* counter) {
    if (before.error != 0 || after.error != 0) return unknown_count;
    return static_cast<std::int64_t>(after.*counter - before.*counter);
}

/// Run `loop`, which returns its number of events, between two readings of everything, with the GIL released.
template <typename Loop>
Pass measured_call(std::uint64_t commands, Loop loop) {
    const nanobind::gil_scoped_release released;
    (void)read_thread_usage();  // warm-up call, which faults in the pages it touches
    const std::int64_t allocated = allocations();
    const ThreadUsage before = read_thread_usage();
    const PerfReading perf = read_counters();
    const std::int64_t cpu_start = thread_cpu_ns();
    const std::uint64_t start = ticks_begin();
    const std::uint64_t events = loop();
    const std::uint64_t ticks = ticks_end() - start;
    const std::int64_t cpu_ns = cpu_ns_since(cpu_start);
    const PerfReading perf_after = read_counters();
    const ThreadUsage after = read_thread_usage();
    return {
        .commands = commands,
        .events = events,
        .ticks = ticks,
        .cpu_ns = cpu_ns,
        .allocations = allocated < 0 ? unknown_count : allocations() - allocated,
        .minor_faults = counted(before, after, &ThreadUsage::minor_faults),
        .major_faults = counted(before, after, &ThreadUsage::major_faults),
        .voluntary_switches = counted(before, after, &ThreadUsage::voluntary_switches),
        .involuntary_switches = counted(before, after, &ThreadUsage::involuntary_switches),
        .perf = perf_after - perf,
        .tail = {},
    };
}

}  // namespace lowlat
