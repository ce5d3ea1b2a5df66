#include "probes/native/core_speed.hpp"

#include <nanobind/nanobind.h>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_core_speed(nb::module_& m) {
    nb::class_<CoreSpeed>(m, "CoreSpeed")
        .def_ro("cycles_per_tick", &CoreSpeed::cycles_per_tick)
        .def_ro("slices", &CoreSpeed::slices);
    m.def(
        "measure_core_speed",
        [](std::int64_t duration_ns) {
            const nb::gil_scoped_release unlocked;
            return measure_core_speed(duration_ns);
        },
        "duration_ns"_a, "Cycles per tick of the counter, on the CPU of the calling thread.");
}

}  // namespace lowlat
