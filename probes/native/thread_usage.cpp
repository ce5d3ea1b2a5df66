#include "probes/native/thread_usage.hpp"

#include <nanobind/nanobind.h>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;

namespace lowlat {

void register_thread_usage(nb::module_& m) {
    nb::class_<ThreadUsage>(m, "ThreadUsage")
        .def_ro("voluntary_switches", &ThreadUsage::voluntary_switches)
        .def_ro("involuntary_switches", &ThreadUsage::involuntary_switches)
        .def_ro("minor_faults", &ThreadUsage::minor_faults)
        .def_ro("major_faults", &ThreadUsage::major_faults)
        .def_ro("error", &ThreadUsage::error);
    m.def("read_thread_usage", &read_thread_usage, "Switches and page faults of the calling thread so far.");
}

}  // namespace lowlat
