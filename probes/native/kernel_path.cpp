#include "probes/native/kernel_path.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "probes/native/kernel_channels.hpp"
#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

namespace {

template <typename Channel>
PathSamples measure(const PathPlan& plan) {
    const nb::gil_scoped_release unlocked;
    Channel channel;
    if (const Fault fault = channel.open()) return {.fault = fault};
    return measure_path(channel, plan);
}

}  // namespace

void register_kernel_path(nb::module_& m) {
    nb::class_<PathSamples>(m, "PathSamples")
        .def_ro("ticks", &PathSamples::ticks)
        .def_ro("awake", &PathSamples::awake)
        .def_ro("backward", &PathSamples::backward)
        .def_prop_ro("error", [](const PathSamples& samples) { return samples.fault.error; })
        .def_prop_ro("call", [](const PathSamples& samples) { return samples.fault.call; });
    nb::class_<PathPlan>(m, "PathPlan")
        .def(
            "__init__",
            [](PathPlan* plan, std::uint64_t samples, std::uint64_t warm_up, std::int64_t pause_ns,
               std::int64_t limit_ns, std::optional<unsigned> sender_cpu, std::optional<unsigned> receiver_cpu) {
                new (plan) PathPlan{samples, warm_up, pause_ns, limit_ns, sender_cpu, receiver_cpu};
            },
            "samples"_a, "warm_up"_a, "pause_ns"_a, "limit_ns"_a, "sender_cpu"_a.none(), "receiver_cpu"_a.none());
    m.def(
        "measure_system_call",
        [](const PathPlan& plan) {
            const nb::gil_scoped_release unlocked;
            return measure_system_call(plan);
        },
        "plan"_a, "Ticks of a system call, on the receiver's CPU.");
    m.def("measure_wake_up", &measure<WakeChannel>, "plan"_a, "Ticks from before FUTEX_WAKE to the woken thread.");
    m.def("measure_loopback_udp", &measure<UdpChannel>, "plan"_a, "Ticks of 64 bytes over UDP, send to receive.");
    m.def("measure_loopback_tcp", &measure<TcpChannel>, "plan"_a, "Ticks of 64 bytes over TCP, send to receive.");
    m.def("measure_stamp_ticks", &measure_stamp_ticks, "Ticks between two ordered timestamps back to back, median.");
}

}  // namespace lowlat
