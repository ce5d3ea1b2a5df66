#include "probes/native/wakeups.hpp"

#include <nanobind/nanobind.h>

#include "probes/native/registrations.hpp"
#include "probes/native/stop_flag.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_wakeups(nb::module_& m) {
    nb::class_<Wakeups>(m, "Wakeups")
        .def_prop_ro("late_ns",
                     [](const Wakeups& self) {
                         return nb::bytes(reinterpret_cast<const char*>(self.late_ns.data()),
                                          self.late_ns.size() * sizeof(std::int64_t));
                     })
        .def_ro("missed", &Wakeups::missed)
        .def_ro("error", &Wakeups::error);
    m.def(
        "measure_wakeups",
        [](unsigned cpu, std::int64_t interval_ns, std::size_t count, const StopFlag& stop) {
            const nb::gil_scoped_release unlocked;
            return measure_wakeups({.cpu = cpu, .interval_ns = interval_ns, .count = count}, stop.set);
        },
        "cpu"_a, "interval_ns"_a, "count"_a, "stop"_a,
        "Pin the calling thread to a CPU and sleep until moments an interval apart; how late it woke each time.");
}

}  // namespace lowlat
