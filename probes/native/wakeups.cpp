#include "probes/native/wakeups.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "probes/native/looking.hpp"
#include "probes/native/registrations.hpp"

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
        .def_ro("errors", &Wakeups::errors);
    m.def(
        "measure_wakeups",
        // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): named in Python
        [](const std::vector<unsigned>& cpus, int fifo, std::int64_t interval_ns, std::size_t count,
           const nb::typed<nb::callable, void()>& waiting) {
            Looking looking(waiting);
            std::atomic<bool> stop{false};
            std::vector<Wakeups> found;
            {
                const nb::gil_scoped_release unlocked;
                found = on_each_cpu<Wakeups>(
                    cpus, fifo, stop,
                    [&](unsigned) { return measure_wakeups({.interval_ns = interval_ns, .count = count}, stop); },
                    [&] { return looking.look(); });
            }
            return std::tuple(std::move(found), looking.interrupted());
        },
        "cpus"_a, "fifo"_a, "interval_ns"_a, "count"_a, "waiting"_a,
        "Sleep on each CPU until moments an interval apart; how late each sleep ended, and whether Ctrl-C ended it.");
}

}  // namespace lowlat
