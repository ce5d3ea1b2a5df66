#include "probes/native/gap_watch.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "probes/native/registrations.hpp"
#include "probes/native/stop_flag.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {
namespace {

template <typename Item>
nb::bytes bytes_of(const std::vector<Item>& items) {
    return nb::bytes(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(Item));
}

using NamedCounter = std::tuple<int, std::string, std::string>;

std::vector<NamedCounter> names_of(const std::vector<KernelCounter>& counters) {
    std::vector<NamedCounter> names;
    names.reserve(counters.size());
    for (const KernelCounter& each : counters)
        names.emplace_back(static_cast<int>(each.kind), each.label, each.description);
    return names;
}

}  // namespace

void register_gap_watch(nb::module_& m) {
    nb::class_<StopFlag>(m, "StopFlag", "Ends native loops of other threads.")
        .def(nb::init<>())
        .def("set", [](StopFlag& self) { self.set.store(true, std::memory_order_relaxed); });
    nb::class_<GapRecording>(m, "GapRecording")
        .def_prop_ro("gaps", [](const GapRecording& self) { return bytes_of(self.gaps); })
        .def_prop_ro("moves", [](const GapRecording& self) { return bytes_of(self.moves); })
        .def_prop_ro("unwatched", [](const GapRecording& self) { return bytes_of(self.unwatched); })
        .def_prop_ro(
            "counters", [](const GapRecording& self) { return names_of(self.counters); },
            "Kind, label and description of each counter.")
        .def_ro("threshold_ticks", &GapRecording::threshold_ticks)
        .def_ro("smallest_ticks", &GapRecording::smallest_ticks)
        .def_ro("reads", &GapRecording::reads)
        .def_ro("watched_ticks", &GapRecording::watched_ticks)
        .def_ro("reading_ticks", &GapRecording::reading_ticks)
        .def_ro("error", &GapRecording::error)
        .def_ro("interrupts_error", &GapRecording::interrupts_error)
        .def_ro("softirqs_error", &GapRecording::softirqs_error)
        .def_ro("steal_error", &GapRecording::steal_error);
    m.def(
        "watch_gaps",
        [](unsigned cpu, std::uint64_t duration_ticks, std::uint64_t threshold_ticks, std::uint64_t default_factor,
           std::size_t gaps_max, const StopFlag& stop) {
            const nb::gil_scoped_release unlocked;
            return watch_gaps({.cpu = cpu,
                               .duration_ticks = duration_ticks,
                               .threshold_ticks = threshold_ticks,
                               .default_factor = default_factor,
                               .gaps_max = gaps_max},
                              stop.set);
        },
        "cpu"_a, "duration_ticks"_a, "threshold_ticks"_a, "default_factor"_a, "gaps_max"_a, "stop"_a,
        "Pin the calling thread to a CPU and spin; without a threshold, gaps are those of `default_factor` times the "
        "smallest time between two reads.");
}

}  // namespace lowlat
