#include "reports/native/interval_histograms.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>

#include "reports/native/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

using Interval = std::tuple<std::uint64_t, std::uint64_t, std::vector<Histogram>>;

void make(IntervalHistograms* self, std::size_t count, std::uint64_t interval_ticks) {
    if (count == 0 || interval_ticks == 0) throw nb::value_error("count and interval_ticks must be above 0");
    new (self) IntervalHistograms({.count = count, .interval_ticks = interval_ticks});
}

std::size_t check_index(const IntervalHistograms& intervals, std::size_t k) {
    if (k >= intervals.count()) throw nb::index_error("no such histogram");
    return k;
}

std::optional<Interval> take(IntervalHistograms& intervals) {
    std::optional<Interval> taken;
    intervals.take([&](const IntervalHistograms::Interval& interval) {
        std::vector<Histogram> histograms(interval.count());
        for (std::size_t k = 0; k < interval.count(); ++k) histograms[k].add(interval.of(k));
        taken = {interval.begin_ticks(), interval.end_ticks(), std::move(histograms)};
    });
    return taken;
}

}  // namespace

void register_interval_histograms(const nb::module_& m) {
    nb::class_<IntervalHistograms>(
        m, "IntervalHistograms",
        "Histograms by interval: one thread records, at full speed and without waiting, another takes.")
        .def("__init__", &make, nb::arg("count"), nb::arg("interval_ticks"))
        .def("start", &IntervalHistograms::start, nb::arg("now_ticks"),
             "The recording thread's: the first interval begins. Once, before anything else.")
        .def(
            "record",
            [](IntervalHistograms& self, std::size_t k, std::uint64_t value) {
                self.active(check_index(self, k)).record(value);
            },
            nb::arg("k"), nb::arg("value"), "The recording thread's: count one value in histogram k.")
        .def("tick", &IntervalHistograms::tick, nb::arg("now_ticks"),
             "The recording thread's, between two records: ends the interval when it is over and the one before was "
             "taken.")
        .def("finish", &IntervalHistograms::finish, nb::arg("now_ticks"),
             "The recording thread's: ends the last interval. Nothing is recorded after it.")
        .def("take", &take,
             "The reading thread's: begin and end in ticks and the histograms of the oldest interval that is over, "
             "each interval once; None when there is none.")
        .def(
            "total",
            [](const IntervalHistograms& self, std::size_t k) {
                Histogram copy;
                copy.add(self.total(check_index(self, k)));
                return copy;
            },
            nb::arg("k"), "The reading thread's: a copy of everything that was taken of histogram k.");
}

}  // namespace lowlat
