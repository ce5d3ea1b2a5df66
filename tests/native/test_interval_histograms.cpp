// The rules of interval histograms with small numbers, in one thread: values recorded while the reader reads a set
// stand for those of another thread at that moment. Then with threads; test_interval_stress.py adds the thread
// sanitizer.
#include <cstdint>
#include <vector>

#include "tests/native/checks.hpp"
#include "tests/native/interval_stress.hpp"

namespace interval_histograms_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

struct Seen {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::vector<std::uint64_t> totals;

    bool operator==(const Seen&) const = default;
};

Seen seen(const IntervalHistograms::Interval& interval) {
    Seen it{interval.begin_ticks(), interval.end_ticks(), {}};
    for (std::size_t k = 0; k < interval.count(); ++k) it.totals.push_back(interval.of(k).total());
    return it;
}

const auto nothing = [](const IntervalHistograms::Interval&) {};

/// All intervals that there are to be taken.
template <typename Intervals>
std::vector<Seen> taken(Intervals& intervals) {
    std::vector<Seen> all;
    while (intervals.take([&](const IntervalHistograms::Interval& interval) { all.push_back(seen(interval)); })) {
    }
    return all;
}

/// An interval ends while the reader looks at the one before; whether both values are in the totals.
template <typename Intervals>
bool keeps_what_a_slow_reader_delays() {
    Intervals intervals({.count = 1, .interval_ticks = 10});
    intervals.start(0);
    intervals.active(0).record(5);
    intervals.tick(10);
    intervals.take([&](const IntervalHistograms::Interval&) {
        intervals.active(0).record(5);
        intervals.tick(20);
    });
    intervals.finish(25);
    taken(intervals);
    return intervals.total(0).total() == 2;
}

const Register splits("interval histograms: every value in its interval, and all in the totals", [] {
    IntervalHistograms intervals({.count = 2, .interval_ticks = 10});
    intervals.start(100);
    intervals.active(0).record(5);
    intervals.tick(109);
    check(taken(intervals).empty(), "the interval is not over at 109");
    intervals.active(1).record(7);
    intervals.active(1).record(9);
    intervals.tick(110);
    check(taken(intervals) == std::vector{Seen{100, 110, {1, 2}}}, "over at 110");
    intervals.active(0).record(6);
    intervals.finish(113);
    check(taken(intervals) == std::vector{Seen{110, 113, {1, 0}}}, "the last one is shorter");
    check(taken(intervals).empty(), "each is taken once");
    check(intervals.total(0).total() == 2 && intervals.total(0).max() == 6, "5 and 6");
    check(intervals.total(1).total() == 2 && intervals.total(1).min() == 7, "7 and 9");
});

const Register grid("interval histograms: a pause shifts no later interval's end", [] {
    IntervalHistograms intervals({.count = 1, .interval_ticks = 10});
    intervals.start(0);
    intervals.tick(34);
    intervals.take(nothing);
    intervals.tick(39);
    check(taken(intervals).empty(), "the next one ends at 40");
    intervals.tick(40);
    check(taken(intervals) == std::vector{Seen{34, 40, {0}}}, "and not at 44");
});

const Register late("interval histograms: a late reader makes an interval longer", [] {
    IntervalHistograms intervals({.count = 1, .interval_ticks = 10});
    intervals.start(0);
    for (const std::uint64_t now : {10, 20, 30, 33}) {
        intervals.active(0).record(1);
        intervals.tick(now);
    }
    check(intervals.take(nothing), "the first");
    intervals.active(0).record(1);
    intervals.tick(35);
    check(taken(intervals) == std::vector{Seen{10, 35, {4}}}, "the second ends once the first is handed back");
});

const Register two_left("interval histograms: finished while one is still to be taken, both come in order", [] {
    IntervalHistograms intervals({.count = 1, .interval_ticks = 10});
    intervals.start(0);
    intervals.active(0).record(1);
    intervals.tick(10);
    intervals.active(0).record(2);
    intervals.active(0).record(Histogram::highest_ns + 1);
    intervals.finish(12);
    check(taken(intervals) == std::vector{Seen{0, 10, {1}}, Seen{10, 12, {1}}}, "the older first");
    check(intervals.total(0).total() == 2 && intervals.total(0).out_of_range() == 1, "out of range is counted too");
});

const Register thrown("interval histograms: an interval whose taking failed is there to be taken again", [] {
    IntervalHistograms intervals({.count = 1, .interval_ticks = 10});
    intervals.start(0);
    intervals.active(0).record(1);
    intervals.tick(10);
    bool caught = false;
    try {
        intervals.take([](const IntervalHistograms::Interval&) { throw 1; });
    } catch (int) {
        caught = true;
    }
    check(caught && taken(intervals) == std::vector{Seen{0, 10, {1}}}, "whole");
    check(intervals.total(0).total() == 1, "and counted once");
});

const Register slow("interval histograms: nothing is lost while a reader looks; broken, it is", [] {
    check(keeps_what_a_slow_reader_delays<IntervalHistograms>(), "both values");
    check(!keeps_what_a_slow_reader_delays<UnaskedIntervals>(), "the same check rejects a set used before it is back");
});

const Register threads("interval histograms: two threads, every interval exact", [] {
    const IntervalVerdict verdict = IntervalStress<IntervalHistograms>().run(200'000, 1'000, 20);
    check(verdict.accepted() && verdict.intervals >= 20, "each interval and the whole");
});

}  // namespace

}  // namespace interval_histograms_tests
