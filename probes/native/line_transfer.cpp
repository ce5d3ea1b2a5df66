#include "probes/native/line_transfer.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_line_transfer(nb::module_& m) {
    nb::class_<LineTransfer>(m, "LineTransfer")
        .def_ro("one_way_ticks", &LineTransfer::one_way_ticks)
        .def_ro("error", &LineTransfer::error);
    m.def(
        "measure_line_transfer",
        // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): named in Python
        [](unsigned first_cpu, unsigned second_cpu, std::int64_t preheat_ns, std::int64_t limit_ns, std::size_t blocks,
           std::uint64_t rounds) {
            const nb::gil_scoped_release unlocked;
            return measure_line_transfer({.first_cpu = first_cpu,
                                          .second_cpu = second_cpu,
                                          .preheat_ns = preheat_ns,
                                          .limit_ns = limit_ns,
                                          .blocks = blocks,
                                          .rounds = rounds});
        },
        "first_cpu"_a, "second_cpu"_a, "preheat_ns"_a, "limit_ns"_a, "blocks"_a, "rounds"_a,
        "Ping-pong on two cache lines between two CPUs: ticks of a one-way transfer, block by block.");
}

}  // namespace lowlat
