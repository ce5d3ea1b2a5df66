#include "probes/native/clock.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "probes/native/clock_cost.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/clock_step.hpp"
#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_clock(nb::module_& m) {
    m.attr("CLOCK_SOURCE") = clock_source();
    m.attr("CLOCK_IS_HARDWARE") = clock_is_hardware;
    m.def("ticks", [] { return ticks(); }, "The counter now, in ticks; not ordered against other instructions.");

#if defined(__aarch64__)
    m.def(
        "counter_frequency_register",
        [] {
            std::uint64_t value = 0;
            asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
            return static_cast<double>(value);
        },
        "CNTFRQ_EL0 in Hz: what firmware declares.");
#else
    m.def("counter_frequency_register", [] { return 0.0; }, "0: this processor has no register for it.");
#endif

    using Scale = std::tuple<std::uint64_t, unsigned>;
    m.def(
        "ns_of_ticks",
        [](double frequency_hz) {
            const TickScale scale = ns_of_ticks(frequency_hz);
            return Scale{scale.multiplier, scale.shift};
        },
        "frequency_hz"_a, "Multiplier and shift from ticks to ns, for a frequency of 1 kHz to 1 THz.");
    m.def(
        "ticks_of_ns",
        [](double frequency_hz) {
            const TickScale scale = ticks_of_ns(frequency_hz);
            return Scale{scale.multiplier, scale.shift};
        },
        "frequency_hz"_a, "Multiplier and shift from ns to ticks, for a frequency of 1 kHz to 1 THz.");
    m.def(
        "apply_scale",
        [](std::uint64_t value, std::uint64_t multiplier, unsigned shift) {
            return TickScale{multiplier, shift}(value);
        },
        "value"_a, "multiplier"_a, "shift"_a, "(value * multiplier) >> shift on 128 bits, as native code does it.");

    nb::class_<FrequencyFit>(m, "FrequencyFit")
        .def_ro("frequency_hz", &FrequencyFit::frequency_hz)
        .def_ro("standard_error_ppm", &FrequencyFit::standard_error_ppm)
        .def_ro("halves_difference_ppm", &FrequencyFit::halves_difference_ppm)
        .def_ro("points_kept", &FrequencyFit::points_kept)
        .def_ro("narrowest_ticks", &FrequencyFit::narrowest_ticks)
        .def_ro("widest_kept_ticks", &FrequencyFit::widest_kept_ticks)
        .def_ro("step_ns", &FrequencyFit::step_ns)
        .def_ro("step_explains", &FrequencyFit::step_explains);
    m.def(
        "fit_frequency",
        [](const std::vector<std::tuple<std::uint64_t, std::int64_t, std::uint64_t>>& points) {
            std::vector<Bracket> brackets;
            brackets.reserve(points.size());
            for (const auto& [at, clock_ns, width] : points) brackets.push_back({at, clock_ns, width});
            return fit_frequency(std::move(brackets));
        },
        "points"_a, "The line through given brackets, each as ticks in its middle, clock in ns, and width in ticks.");
    nb::class_<FrequencyMeasurement>(m, "FrequencyMeasurement")
        .def_ro("raw", &FrequencyMeasurement::raw)
        .def_ro("monotonic", &FrequencyMeasurement::monotonic)
        .def_ro("brackets", &FrequencyMeasurement::brackets)
        .def_ro("window_ns", &FrequencyMeasurement::window_ns);
    m.def(
        "measure_frequency",
        [](std::uint64_t duration_ns, std::uint64_t slots) {
            const nb::gil_scoped_release unlocked;
            return measure_frequency(duration_ns, slots, [](std::uint64_t slot) {
                // Ten times a second at 10,000 parts a second, so that Ctrl-C ends a long window.
                if (slot % 1000 != 999) return;
                const nb::gil_scoped_acquire locked;
                if (PyErr_CheckSignals() != 0) throw nb::python_error();
            });
        },
        "duration_ns"_a, "slots"_a, "Spin for the duration and fit the counter against both monotonic clocks.");

    nb::class_<ReadCosts>(m, "ReadCosts")
        .def_ro("plain_ns", &ReadCosts::plain_ns)
        .def_ro("fenced_ns", &ReadCosts::fenced_ns)
        .def_ro("ordered_end_ns", &ReadCosts::ordered_end_ns)
        .def_ro("library_ns", &ReadCosts::library_ns)
        .def_ro("system_call_ns", &ReadCosts::system_call_ns);
    m.def(
        "measure_read_costs",
        [] {
            const nb::gil_scoped_release unlocked;
            return measure_read_costs();
        },
        "Cost of one read of each clock, in ns.");

    nb::class_<CounterStep>(m, "CounterStep")
        .def_ro("step_ticks", &CounterStep::step_ticks)
        .def_ro("concentration", &CounterStep::concentration)
        .def_ro("smallest_difference", &CounterStep::smallest_difference)
        .def_ro("repeats", &CounterStep::repeats)
        .def_ro("backward", &CounterStep::backward);
    m.def(
        "measure_counter_step",
        [](std::uint64_t reads) {
            const nb::gil_scoped_release unlocked;
            return measure_counter_step(reads);
        },
        "reads"_a, "The step by which the counter counts, from irregularly spaced reads.");
}

}  // namespace lowlat
