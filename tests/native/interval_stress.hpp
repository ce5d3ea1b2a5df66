// One thread records numbered values at full speed, another takes the intervals and records each anew from its bounds:
// whatever differs is counted. And interval histograms that are broken on purpose, each by one line, which the same
// check must reject.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "reports/native/interval_histograms.hpp"

namespace lowlat::testing {

/// Of record number `tick`: which histogram, and what value. Values that share buckets, so that counts above 1 occur.
inline constexpr std::size_t stress_histograms = 3;
inline std::size_t stress_histogram(std::uint64_t tick) {
    return tick % stress_histograms;
}
inline std::uint64_t stress_value(std::uint64_t tick) {
    return tick * 7919 % 100'003;
}

inline bool same(const Histogram& left, const Histogram& right) {
    return left.total() == right.total() && left.min() == right.min() && left.max() == right.max() &&
           std::ranges::equal(left.counts(), right.counts());
}

struct IntervalVerdict {
    std::uint64_t intervals = 0;
    std::uint64_t wrong =
        0;               // intervals with other values than were recorded between their bounds, or with a gap before
    bool whole = false;  // whether the totals are all that was recorded

    bool accepted() const { return wrong == 0 && whole; }
};

template <typename Intervals>
class IntervalStress {
  public:
    /// At least `records` values in intervals of `interval_ticks`, one value a tick; on until `intervals_min` were
    /// taken.
    IntervalVerdict run(std::uint64_t records, std::uint64_t interval_ticks, std::uint64_t intervals_min) {
        Intervals intervals({.count = stress_histograms, .interval_ticks = interval_ticks});
        // Relaxed: these only end loops.
        std::atomic<bool> enough{false};
        std::atomic<bool> over{false};
        std::uint64_t recorded = 0;
        std::thread recording([&] {
            intervals.start(0);
            while (recorded < records || !enough.load(std::memory_order_relaxed)) {
                intervals.active(stress_histogram(recorded)).record(stress_value(recorded));
                intervals.tick(++recorded);
            }
            intervals.finish(recorded);
            over.store(true, std::memory_order_relaxed);
        });
        while (!over.load(std::memory_order_relaxed)) {
            if (!take(intervals)) std::this_thread::yield();
            if (verdict_.intervals >= intervals_min || verdict_.wrong > 0)
                enough.store(true, std::memory_order_relaxed);
        }
        recording.join();
        while (take(intervals)) {
        }
        check_totals(intervals, recorded);
        return verdict_;
    }

  private:
    bool take(Intervals& intervals) {
        return intervals.take([&](const IntervalHistograms::Interval& interval) {
            ++verdict_.intervals;
            const bool adjoins = interval.begin_ticks() == next_tick_;
            verdict_.wrong += !adjoins || !right(interval);
            next_tick_ = interval.end_ticks();
        });
    }

    bool right(const IntervalHistograms::Interval& interval) {
        for (Histogram& histogram : expected_) histogram.reset();
        for (std::uint64_t tick = interval.begin_ticks(); tick < interval.end_ticks(); ++tick)
            expected_[stress_histogram(tick)].record(stress_value(tick));
        for (std::size_t k = 0; k < stress_histograms; ++k)
            if (!same(interval.of(k), expected_[k])) return false;
        return true;
    }

    void check_totals(const Intervals& intervals, std::uint64_t recorded) {
        for (Histogram& histogram : expected_) histogram.reset();
        for (std::uint64_t tick = 0; tick < recorded; ++tick)
            expected_[stress_histogram(tick)].record(stress_value(tick));
        verdict_.whole = next_tick_ == recorded;
        for (std::size_t k = 0; k < stress_histograms; ++k) verdict_.whole &= same(intervals.total(k), expected_[k]);
    }

    IntervalVerdict verdict_;
    std::uint64_t next_tick_ = 0;
    std::vector<Histogram> expected_ = std::vector<Histogram>(stress_histograms);
};

/// Broken: goes on in the other set without asking whether it is back.
class UnaskedIntervals : public IntervalHistograms {
  public:
    using IntervalHistograms::IntervalHistograms;

    void tick(std::uint64_t now_ticks) noexcept {
        if (is_over(now_ticks)) hand_over(now_ticks);
    }
};

/// Broken: the word that hands over orders nothing. Only a thread sanitizer, or a processor that reorders stores, sees
/// it.
class RelaxedIntervals : public IntervalHistograms {
  public:
    using IntervalHistograms::IntervalHistograms;

    void tick(std::uint64_t now_ticks) noexcept {
        if (is_over(now_ticks) && other_is_back()) hand_over(now_ticks, std::memory_order_relaxed);
    }
};

}  // namespace lowlat::testing
