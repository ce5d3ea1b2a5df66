// The cost of two threads writing words that are `distance` bytes apart.
//
// Slices are short and interleave the distances, so a change in the host's load affects all of them. A slice in which
// either thread lost more than a tenth of its time (preempted, stolen, late) is dropped: it would make shared lines
// look free, since a thread that writes alone is fast.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "probes/native/cache_line.hpp"
#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/thread_pin.hpp"
#include "probes/native/two_threads.hpp"

namespace lowlat {

struct SharingCosts {
    std::vector<std::uint64_t> distances;  // bytes
    std::vector<double> ticks_per_write;   // median of the good slices, one for each distance; 0 if there are none
    std::uint64_t slices_kept = 0;
    std::uint64_t slices_dropped = 0;
    int error = 0;  // errno of the pinning that failed
};

namespace detail {

inline constexpr std::size_t sharing_repeats = 11;
inline constexpr int writes_per_look = 16;  // writes between two reads of the clock
inline constexpr std::uint64_t gap_share = 10;

struct SliceResult {
    std::uint64_t writes = 0;
    std::uint64_t longest_gap = 0;  // ticks between two reads of the clock, including the slice's start and end
};

// Each on separate lines, 128 bytes apart, since x86 fetches lines in pairs.
struct SharingControl {
    alignas(128) std::atomic<std::uint64_t> slice{0};  // number of the slice to run; released after the fields
    std::uint64_t start_ticks = 0;
    std::uint64_t end_ticks = 0;
    std::byte* second_word = nullptr;
    alignas(128) std::atomic<std::uint64_t> finished{0};  // number of the slice that the second thread has finished
    SliceResult second_result;
    alignas(128) std::atomic<bool> stop{false};
    std::atomic<int> error{0};
    std::atomic<bool> ready{false};
};

inline SliceResult write_for_a_slice(std::byte* place, std::uint64_t start, std::uint64_t end) noexcept {
    const std::atomic_ref<std::uint64_t> word(*reinterpret_cast<std::uint64_t*>(place));
    SliceResult result;
    std::uint64_t last = start;
    // Both threads begin at the same tick; neither writes before.
    std::uint64_t now = ticks();
    while (now < start) now = ticks();
    while (now < end) {
        result.longest_gap = std::max(result.longest_gap, now - last);
        for (int i = 0; i < writes_per_look; ++i) word.fetch_add(1, std::memory_order_relaxed);
        result.writes += writes_per_look;
        last = now;
        now = ticks();
    }
    result.longest_gap = std::max(result.longest_gap, now - last);
    return result;
}

inline void second_writer(SharingControl& control, unsigned cpu) noexcept {
    if (const int error = pin_this_thread(cpu)) control.error.store(error, std::memory_order_relaxed);
    control.ready.store(true, std::memory_order_release);
    std::uint64_t done = 0;
    while (!control.stop.load(std::memory_order_relaxed)) {
        const std::uint64_t slice = control.slice.load(std::memory_order_acquire);
        if (slice == done) continue;
        control.second_result = write_for_a_slice(control.second_word, control.start_ticks, control.end_ticks);
        done = slice;
        control.finished.store(done, std::memory_order_release);
    }
}

struct SharingPlan {
    std::uint64_t slice_ticks = 0;
    std::uint64_t lead_ticks = 0;  // from the call to the start, time for the second thread to see it
    std::int64_t limit_ns = 0;
};

inline void first_writer(SharingControl& control, unsigned cpu, const SharingPlan& plan, SharingCosts& costs) {
    if (const int error = pin_this_thread(cpu)) control.error.store(error, std::memory_order_relaxed);
    while (!control.ready.load(std::memory_order_acquire)) std::this_thread::yield();
    const Pages page(1);
    std::vector<std::vector<double>> kept(costs.distances.size());
    const std::int64_t end_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) + plan.limit_ns;
    const auto wants_more = [&] {
        return std::any_of(kept.begin(), kept.end(), [](const auto& k) { return k.size() < sharing_repeats; });
    };
    std::uint64_t slice = 0;
    while (control.error.load(std::memory_order_relaxed) == 0 && wants_more() &&
           read_clock_ns(CLOCK_MONOTONIC_RAW) < end_ns) {
        const std::size_t which = slice % costs.distances.size();
        control.second_word = page.page(0) + costs.distances[which];
        control.start_ticks = ticks() + plan.lead_ticks;
        control.end_ticks = control.start_ticks + plan.slice_ticks;
        control.slice.store(++slice, std::memory_order_release);
        const SliceResult first = write_for_a_slice(page.page(0), control.start_ticks, control.end_ticks);
        while (control.finished.load(std::memory_order_acquire) != slice) {
        }
        const SliceResult second = control.second_result;
        if (std::max(first.longest_gap, second.longest_gap) > plan.slice_ticks / gap_share) {
            ++costs.slices_dropped;
            continue;
        }
        ++costs.slices_kept;
        kept[which].push_back(2.0 * static_cast<double>(plan.slice_ticks) /
                              static_cast<double>(first.writes + second.writes));
    }
    control.stop.store(true, std::memory_order_relaxed);
    for (auto& values : kept) {
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        if (!values.empty()) std::nth_element(values.begin(), middle, values.end());
        costs.ticks_per_write.push_back(values.empty() ? 0.0 : *middle);
    }
}

}  // namespace detail

// Two CPUs, and how long they write.
struct SharingTrial {
    unsigned first_cpu;
    unsigned second_cpu;
    std::uint64_t slice_ticks;
    std::int64_t limit_ns;
};

// Runs until every distance has 11 good slices or `limit_ns` has passed. Does not pin the calling thread.
inline SharingCosts measure_sharing_costs(const SharingTrial& trial) {
    SharingCosts costs;
    for (std::uint64_t d = 8; d <= 1024; d *= 2) costs.distances.push_back(d);
    detail::SharingControl control;
    const detail::SharingPlan plan{
        .slice_ticks = trial.slice_ticks, .lead_ticks = trial.slice_ticks / 10, .limit_ns = trial.limit_ns};
    const int refused = run_both([&] { detail::second_writer(control, trial.second_cpu); },
                                 [&] { detail::first_writer(control, trial.first_cpu, plan, costs); },
                                 [&] { control.stop.store(true); });
    costs.error = refused != 0 ? refused : control.error.load(std::memory_order_relaxed);
    return costs;
}

}  // namespace lowlat
