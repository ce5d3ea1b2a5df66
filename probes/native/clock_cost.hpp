// The cost of one read of each clock, and the resolution of the counter.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lowlat {

namespace detail {

inline constexpr int cost_batches = 31;
inline constexpr int cost_reads = 500;

// Median over batches of the mean time of a read in a batch, in ns, so that a preempted batch has no effect.
template <typename Read>
double read_cost_ns(Read read) {
    std::array<double, cost_batches> batches{};
    for (double& batch : batches) {
        const std::int64_t start_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
        for (int i = 0; i < cost_reads; ++i) read();
        batch = static_cast<double>(read_clock_ns(CLOCK_MONOTONIC_RAW) - start_ns) / cost_reads;
    }
    std::nth_element(batches.begin(), batches.begin() + cost_batches / 2, batches.end());
    return batches[cost_batches / 2];
}

}  // namespace detail

struct ReadCosts {
    double plain_ns = 0.0;
    double fenced_ns = 0.0;
    double ordered_end_ns = 0.0;  // RDTSCP + LFENCE, or the platform's equivalent
    double library_ns = 0.0;      // clock_gettime of the C library: the vDSO, which may fall back to a system call
    double system_call_ns = 0.0;  // the same as a real system call; 0 if not possible
};

inline ReadCosts measure_read_costs() {
    ReadCosts costs;
    costs.plain_ns = detail::read_cost_ns([] { static_cast<void>(ticks()); });
    costs.fenced_ns = detail::read_cost_ns([] { static_cast<void>(ticks_begin()); });
    costs.ordered_end_ns = detail::read_cost_ns([] { static_cast<void>(ticks_end()); });
    costs.library_ns = detail::read_cost_ns([] { static_cast<void>(read_clock_ns(CLOCK_MONOTONIC)); });
#if defined(__linux__)
    costs.system_call_ns = detail::read_cost_ns([] {
        timespec now{};
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    });
#endif
    return costs;
}

}  // namespace lowlat
