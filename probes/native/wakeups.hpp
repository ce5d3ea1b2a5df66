// How late a sleeping thread wakes up: it sleeps until a moment, the next one an interval later, and so on. This is
// what cyclictest measures.
#pragma once

#include <sys/prctl.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "probes/native/clock_fit.hpp"
#include "probes/native/cpu_threads.hpp"

namespace lowlat {

struct Wakeups {
    std::vector<std::int64_t> late_ns;  // of each wake-up
    std::int64_t missed = 0;            // moments that had passed before the thread could sleep again
    CpuThreadErrors errors;
};

struct WakeupPlan {
    std::int64_t interval_ns;
    std::size_t count;
};

/// Sleeps until `count` moments on the calling thread, which stays pinned and keeps a timer slack of 1 ns, since the
/// default of 50 us would be measured instead of the kernel.
inline Wakeups measure_wakeups(const WakeupPlan& plan, const std::atomic<bool>& stop) {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    Wakeups found;
    prctl(PR_SET_TIMERSLACK, 1UL);
    found.late_ns.resize(plan.count);
    found.late_ns.clear();
    std::int64_t due_ns = read_clock_ns(CLOCK_MONOTONIC) + plan.interval_ns;
    const auto moments = [&] { return found.late_ns.size() + static_cast<std::size_t>(found.missed); };
    while (moments() < plan.count && !stop.load(std::memory_order_relaxed)) {
        const timespec due{.tv_sec = due_ns / ns_per_s, .tv_nsec = due_ns % ns_per_s};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) == EINTR) {
        }
        const std::int64_t woke_ns = read_clock_ns(CLOCK_MONOTONIC);
        found.late_ns.push_back(woke_ns - due_ns);
        due_ns += plan.interval_ns;
        while (due_ns <= woke_ns) {
            due_ns += plan.interval_ns;
            ++found.missed;
        }
    }
    return found;
}

}  // namespace lowlat
