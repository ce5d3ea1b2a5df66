#include "probes/native/counter_skew.hpp"

#include <nanobind/nanobind.h>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_counter_skew(nb::module_& m) {
    nb::class_<CounterSkew>(m, "CounterSkew")
        .def_ro("offset_ticks", &CounterSkew::offset_ticks)
        .def_ro("bound_ticks", &CounterSkew::bound_ticks)
        .def_ro("rounds", &CounterSkew::rounds)
        .def_ro("warps", &CounterSkew::warps)
        .def_ro("error", &CounterSkew::error);
    m.def(
        "measure_counter_skew",
        [](unsigned first_cpu, unsigned second_cpu, std::int64_t duration_ns, std::int64_t limit_ns) {
            const nb::gil_scoped_release unlocked;
            return measure_counter_skew(
                {.first_cpu = first_cpu, .second_cpu = second_cpu, .duration_ns = duration_ns, .limit_ns = limit_ns});
        },
        "first_cpu"_a, "second_cpu"_a, "duration_ns"_a, "limit_ns"_a,
        "Ping-pong between two CPUs: offset of their counters, its bound, and warps.");
}

}  // namespace lowlat
