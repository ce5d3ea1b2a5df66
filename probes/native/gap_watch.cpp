#include "probes/native/gap_watch.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "probes/native/looking.hpp"
#include "probes/native/registrations.hpp"

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

using Watched = std::tuple<std::vector<GapRecording>, bool>;

Watched watch(const std::vector<unsigned>& cpus, int fifo, const GapPlan& plan,
              const nb::typed<nb::callable, void()>& waiting) {
    Looking looking(waiting);
    std::atomic<bool> stop{false};
    std::vector<GapRecording> found;
    {
        const nb::gil_scoped_release unlocked;
        found = on_each_cpu<GapRecording>(
            cpus, fifo, stop, [&](unsigned cpu) { return watch_gaps(cpu, plan, stop); },
            [&] { return looking.look(); });
    }
    return {std::move(found), looking.interrupted()};
}

}  // namespace

void register_gap_watch(nb::module_& m) {
    nb::class_<CpuThreadErrors>(m, "CpuThreadErrors")
        .def_ro("error", &CpuThreadErrors::error)
        .def_ro("priority", &CpuThreadErrors::priority);
    nb::class_<GapRecording>(m, "GapRecording")
        .def_prop_ro("gaps", [](const GapRecording& self) { return bytes_of(self.gaps); })
        .def_prop_ro("moves", [](const GapRecording& self) { return bytes_of(self.moves); })
        .def_prop_ro(
            "counters", [](const GapRecording& self) { return names_of(self.counters); },
            "Kind, label and description of each counter.")
        .def_ro("threshold_ticks", &GapRecording::threshold_ticks)
        .def_ro("typical_ticks", &GapRecording::typical_ticks)
        .def_ro("reads", &GapRecording::reads)
        .def_ro("watched_ticks", &GapRecording::watched_ticks)
        .def_ro("errors", &GapRecording::errors)
        .def_ro("interrupts_error", &GapRecording::interrupts_error)
        .def_ro("softirqs_error", &GapRecording::softirqs_error)
        .def_ro("steal_error", &GapRecording::steal_error);
    m.def(
        "watch_gaps",
        [](const std::vector<unsigned>& cpus, int fifo, std::uint64_t duration_ticks, std::uint64_t threshold_ticks,
           std::uint64_t default_factor, std::size_t gaps_max, const nb::typed<nb::callable, void()>& waiting) {
            return watch(cpus, fifo,
                         {.duration_ticks = duration_ticks,
                          .threshold_ticks = threshold_ticks,
                          .default_factor = default_factor,
                          .gaps_max = gaps_max},
                         waiting);
        },
        "cpus"_a, "fifo"_a, "duration_ticks"_a, "threshold_ticks"_a, "default_factor"_a, "gaps_max"_a, "waiting"_a,
        "Spin on each CPU, and whether Ctrl-C ended it; without a threshold, gaps are those of `default_factor` times "
        "the "
        "typical time between two reads. A `fifo` of 0 is normal priority; `waiting()` is called now and then.");
}

}  // namespace lowlat
