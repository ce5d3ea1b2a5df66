// The offset between the counters of two CPUs, and whether one ever runs behind the other (a warp).
//
// Cristian's method: A reads t1 and calls, B reads t2 and answers, A reads t3. B read t2 at some time between t1 and
// t3, so the offset t2 - (t1 + t3) / 2 is known to within (t3 - t1) / 2, and the narrowest round trip gives the
// tightest bound. t2 < t1 or t3 < t2 contradicts causality: the counters are warped.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/thread_pin.hpp"
#include "probes/native/two_threads.hpp"

namespace lowlat {

struct CounterSkew {
    std::int64_t offset_ticks = 0;  // second CPU's counter minus the first's
    std::uint64_t bound_ticks = 0;  // half the narrowest round trip
    std::uint64_t rounds = 0;
    std::uint64_t warps = 0;
    int error = 0;  // errno with which a thread could not be started or pinned
};

// Two CPUs, and how long they exchange messages.
struct SkewPlan {
    unsigned first_cpu;
    unsigned second_cpu;
    std::int64_t duration_ns;
    std::int64_t limit_ns;
};

namespace detail {

// Two cache lines, one for each direction, each written by one side only. They are 128 bytes apart, since x86 fetches
// lines in pairs.
struct SkewLines {
    alignas(128) std::atomic<std::uint64_t> call{0};    // round number, from A
    alignas(128) std::atomic<std::uint64_t> answer{0};  // round number, from B, released after answer_ticks
    std::uint64_t answer_ticks = 0;
    alignas(128) std::atomic<bool> stop{false};
    std::atomic<int> ready{0};
    std::atomic<int> error{0};
};

// Spins for some tens of microseconds, then sleeps between checks. On busy CPUs two spinning threads may be scheduled
// alternately and never run together; a sleeping thread is scheduled as soon as it wakes.
class Patience {
  public:
    void wait() noexcept {
        if (++looks_ % looks_per_nap == 0) std::this_thread::sleep_for(std::chrono::microseconds{50});
    }
    void renew() noexcept { looks_ = 0; }

  private:
    static constexpr std::uint32_t looks_per_nap = 20'000;
    std::uint32_t looks_ = 0;
};

inline void answer_calls(SkewLines& lines, unsigned cpu) noexcept {
    if (const int error = pin_this_thread(cpu)) lines.error.store(error, std::memory_order_relaxed);
    lines.ready.fetch_add(1, std::memory_order_release);
    std::uint64_t answered = 0;
    Patience patience;
    while (!lines.stop.load(std::memory_order_relaxed)) {
        const std::uint64_t round = lines.call.load(std::memory_order_acquire);
        if (round == answered) {
            patience.wait();
            continue;
        }
        patience.renew();
        lines.answer_ticks = ticks_begin();
        lines.answer.store(round, std::memory_order_release);
        answered = round;
    }
}

// Rounds needed for a useful bound; busy CPUs run both threads at once only occasionally.
inline constexpr std::uint64_t rounds_min = 200;

inline void call_rounds(SkewLines& lines, const SkewPlan& plan, CounterSkew& skew) noexcept {
    if (const int error = pin_this_thread(plan.first_cpu)) lines.error.store(error, std::memory_order_relaxed);
    while (lines.ready.load(std::memory_order_acquire) == 0) std::this_thread::yield();
    const std::int64_t start_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
    const auto wants_more = [&] {
        const std::int64_t elapsed_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) - start_ns;
        return elapsed_ns < (skew.rounds < rounds_min ? plan.limit_ns : plan.duration_ns);
    };
    std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
    while (lines.error.load(std::memory_order_relaxed) == 0 && wants_more()) {
        const std::uint64_t round = skew.rounds + 1;
        const std::uint64_t called = ticks_begin();
        lines.call.store(round, std::memory_order_release);
        Patience patience;
        while (lines.answer.load(std::memory_order_acquire) != round) patience.wait();
        const std::uint64_t answered = lines.answer_ticks;
        const std::uint64_t returned = ticks_begin();
        ++skew.rounds;
        const auto there = static_cast<std::int64_t>(answered - called);
        const auto back = static_cast<std::int64_t>(returned - answered);
        if (there < 0 || back < 0) ++skew.warps;
        if (returned - called < narrowest) {
            narrowest = returned - called;
            skew.offset_ticks = (there - back) / 2;
            skew.bound_ticks = (narrowest + 1) / 2;
        }
    }
    lines.stop.store(true, std::memory_order_relaxed);
}

}  // namespace detail

// Exchanges messages for `duration_ns`, on busy CPUs for up to `limit_ns`; the calling thread keeps its affinity. Each
// wait ends once the other CPU runs its thread, however busy that CPU is.
inline CounterSkew measure_counter_skew(const SkewPlan& plan) {
    detail::SkewLines lines;
    CounterSkew skew;
    const int refused = run_both([&] { detail::answer_calls(lines, plan.second_cpu); },
                                 [&] { detail::call_rounds(lines, plan, skew); }, [&] { lines.stop.store(true); });
    skew.error = refused != 0 ? refused : lines.error.load(std::memory_order_relaxed);
    return skew;
}

}  // namespace lowlat
