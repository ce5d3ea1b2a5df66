#include "probes/native/cache_line.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "probes/native/false_sharing.hpp"
#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_cache_line(nb::module_& m) {
    m.attr("CAN_FLUSH_LINES") = can_flush_lines;
    m.def("line_bytes_of_register", &line_bytes_of_register, "CTR_EL0.DminLine in bytes; 0 on other processors.");
    m.def("line_bytes_of_libc", &line_bytes_of_libc, "sysconf(_SC_LEVEL1_DCACHE_LINESIZE), or None.");

    nb::class_<FlushTimes>(m, "FlushTimes")
        .def_ro("distances", &FlushTimes::distances)
        .def_ro("median_ticks", &FlushTimes::median_ticks)
        .def_ro("hit_ticks", &FlushTimes::hit_ticks)
        .def_ro("miss_ticks", &FlushTimes::miss_ticks);
    m.def(
        "measure_flush_times",
        [](std::size_t samples) {
            const nb::gil_scoped_release unlocked;
            return measure_flush_times(samples);
        },
        "samples"_a, "Time to load at a distance from a flushed line; `samples` for each distance.");

    nb::class_<PrefetchRates>(m, "PrefetchRates")
        .def_ro("lower_half_previous", &PrefetchRates::lower_half_previous)
        .def_ro("lower_half_next", &PrefetchRates::lower_half_next)
        .def_ro("upper_half_previous", &PrefetchRates::upper_half_previous)
        .def_ro("upper_half_next", &PrefetchRates::upper_half_next);
    m.def(
        "measure_prefetch_rates",
        [](std::size_t line_bytes, std::uint64_t limit_ticks, std::size_t samples) {
            const nb::gil_scoped_release unlocked;
            return measure_prefetch_rates({.line_bytes = line_bytes, .limit_ticks = limit_ticks, .samples = samples});
        },
        "line_bytes"_a, "limit_ticks"_a, "samples"_a,
        "How often the neighbors of a touched line load in less than `limit_ticks`.");

    nb::class_<SharingCosts>(m, "SharingCosts")
        .def_ro("distances", &SharingCosts::distances)
        .def_ro("ticks_per_write", &SharingCosts::ticks_per_write)
        .def_ro("slices_kept", &SharingCosts::slices_kept)
        .def_ro("slices_dropped", &SharingCosts::slices_dropped)
        .def_ro("error", &SharingCosts::error);
    m.def(
        "measure_sharing_costs",
        [](unsigned first_cpu, unsigned second_cpu, std::uint64_t slice_ticks, std::int64_t limit_ns) {
            const nb::gil_scoped_release unlocked;
            return measure_sharing_costs(
                {.first_cpu = first_cpu, .second_cpu = second_cpu, .slice_ticks = slice_ticks, .limit_ns = limit_ns});
        },
        "first_cpu"_a, "second_cpu"_a, "slice_ticks"_a, "limit_ns"_a,
        "Cost of a write by two pinned threads, by the distance between their words.");
}

}  // namespace lowlat
