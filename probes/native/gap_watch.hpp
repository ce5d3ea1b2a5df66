// Spins on one CPU and reads the counter back to back: a longer time between two reads is a gap, in which something
// else had the CPU. After each gap the kernel's counters are read; those that moved since the gap before name its
// cause.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/cpu_threads.hpp"
#include "probes/native/kernel_counters.hpp"

namespace lowlat {

struct GapPlan {
    std::uint64_t duration_ticks;
    std::uint64_t threshold_ticks;  // 0: `default_factor` times the typical time between two reads
    std::uint64_t default_factor;
    std::size_t gaps_max;  // the watch ends after so many
};

struct Gap {
    std::uint64_t begin_ticks;  // since the watch began
    std::uint64_t ticks;
    std::uint64_t moves_end;      // end of its part of `moves`
    std::uint64_t reading_ticks;  // spent reading counters after it: not watched
};

/// A counter that moved between two readings.
struct CounterMove {
    std::uint32_t counter;
    std::uint32_t by;
};

struct GapRecording {
    std::vector<Gap> gaps;
    std::vector<CounterMove> moves;
    std::vector<KernelCounter> counters;
    std::uint64_t threshold_ticks = 0;
    std::uint64_t typical_ticks = 0;  // between two reads
    std::uint64_t reads = 0;          // of the counter
    std::uint64_t watched_ticks = 0;  // from begin to end, readings of counters included
    CpuThreadErrors errors;
    int interrupts_error = 0;
    int softirqs_error = 0;
    int steal_error = 0;
};

namespace detail {

/// The median of the times between two reads that differ. Their minimum may be far less than the counter's step: where
/// a hypervisor keeps reads in order, some differ by a single tick.
inline std::uint64_t typical_between_reads(std::size_t reads) {
    std::vector<std::uint64_t> times;
    times.reserve(reads);
    std::uint64_t before = ticks();
    for (std::size_t i = 0; i < reads; ++i) {
        const std::uint64_t now = ticks();
        if (now > before) times.push_back(now - before);
        before = now;
    }
    if (times.empty()) return 1;
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

/// Make room, with all pages present: a page fault later would itself be counted.
template <typename Item>
void touch(std::vector<Item>& items, std::size_t count) {
    items.resize(count);
    items.clear();
}

/// The counters, and their values when they were last read.
class MovingCounters {
  public:
    explicit MovingCounters(unsigned cpu) : counters_(cpu) {
        for (int i = 0; i < readings_to_settle; ++i) settle();
    }

    /// Append what moved since the last reading. What moves while counters are read is of no gap.
    void read(std::vector<CounterMove>& moves) {
        const std::uint64_t began = ticks();
        advance([&](std::size_t counter, std::uint64_t by) {
            moves.push_back({static_cast<std::uint32_t>(counter),
                             static_cast<std::uint32_t>(std::min<std::uint64_t>(by, UINT32_MAX))});
        });
        std::uint64_t took = ticks() - began;
        // An interrupt during the reading may be counted in a row that was read before it. Such a reading takes longer.
        const std::uint64_t longest = typical_ + typical_ / 4;
        learn(took);
        for (int again = 0; took > longest && again < readings_again; ++again) took = forget();
    }

    /// Forget what moved since the last reading.
    void settle() { learn(forget()); }

    const KernelCounters& kernel() const { return counters_; }
    std::vector<KernelCounter> all() { return counters_.read(); }

  private:
    static constexpr int readings_to_settle = 20;
    static constexpr int readings_again = 3;
    static constexpr std::uint64_t readings_learned = 8;  // a change of speed is typical after about so many

    /// Read what moved, and drop it; how long it took.
    std::uint64_t forget() {
        const std::uint64_t began = ticks();
        advance([](std::size_t, std::uint64_t) {});
        return ticks() - began;
    }

    /// How long a reading takes changes with the CPU's speed and what its neighbors do, and it is longer after a gap,
    /// in cold caches, than after another reading. One that others lengthen counts for little.
    void learn(std::uint64_t took) {
        const std::uint64_t counted = typical_ == 0 ? took : std::min(took, 2 * typical_);
        typical_ = typical_ == 0 ? took : typical_ - typical_ / readings_learned + counted / readings_learned;
    }

    /// Read all counters; `moved(counter, by)` for each that rose.
    template <typename Moved>
    void advance(Moved moved) {
        const std::vector<KernelCounter>& now = counters_.read();
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (i == last_.size()) last_.push_back(now[i].value);
            if (now[i].value > last_[i]) moved(i, now[i].value - last_[i]);
            last_[i] = now[i].value;
        }
    }

    KernelCounters counters_;
    std::vector<std::uint64_t> last_;
    std::uint64_t typical_ = 0;  // of the first readings after the last gaps, ticks
};

}  // namespace detail

/// Watches the CPU of the calling thread, which is pinned to it, until the duration is over, `stop` is set, or there
/// are as many gaps as the plan allows.
inline GapRecording watch_gaps(unsigned cpu, const GapPlan& plan, const std::atomic<bool>& stop) {
    constexpr std::size_t reads_to_settle = 100'000;
    constexpr std::size_t moves_per_gap = 8;
    GapRecording found;
    detail::MovingCounters counters(cpu);
    found.typical_ticks = detail::typical_between_reads(reads_to_settle);
    found.threshold_ticks =
        plan.threshold_ticks != 0 ? plan.threshold_ticks : found.typical_ticks * plan.default_factor;
    detail::touch(found.gaps, plan.gaps_max);
    detail::touch(found.moves, plan.gaps_max * moves_per_gap);
    counters.settle();

    const std::uint64_t began = ticks();
    const std::uint64_t threshold = found.threshold_ticks;
    std::uint64_t before = began;
    std::uint64_t reads = 0;
    while (before - began < plan.duration_ticks && !stop.load(std::memory_order_relaxed)) {
        const std::uint64_t now = ticks();
        ++reads;
        if (static_cast<std::int64_t>(now - before) < static_cast<std::int64_t>(threshold)) [[likely]] {
            before = now;
            continue;
        }
        counters.read(found.moves);
        const std::uint64_t begin = before;
        before = ticks();
        found.gaps.push_back({begin - began, now - begin, found.moves.size(), before - now});
        if (found.gaps.size() == plan.gaps_max) break;
    }
    found.watched_ticks = before - began;
    found.reads = reads;
    found.counters = counters.all();
    found.interrupts_error = counters.kernel().interrupts_error();
    found.softirqs_error = counters.kernel().softirqs_error();
    found.steal_error = counters.kernel().steal_error();
    return found;
}

}  // namespace lowlat
