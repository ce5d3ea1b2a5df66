// The measured passes over any engine that the loops take: ours, which is inlined, or one of a library.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <vector>

#include "engine/native/bench/loops.hpp"
#include "engine/native/bench/measured_call.hpp"
#include "engine/native/bindings/py_buffer.hpp"

namespace lowlat {

/// A pass without a clock inside: `loop` is called with engine, commands, their number and the sink.
template <typename Measured, typename Loop>
Pass untimed_pass(Measured& measured, nanobind::handle commands, Loop loop) {
    return with_commands(commands, [&](auto in) {
        return with_engine(measured, in, [&](auto& engine, auto& sink) {
            return measured_call(in.size(), [&] {
                loop(engine, in.data(), in.size(), sink);
                return sink.count();
            });
        });
    });
}

template <typename Measured>
Pass run_batched_pass(Measured& measured, nanobind::handle commands) {
    return untimed_pass(measured, commands, [](auto&&... given) { run_batched(given...); });
}

template <typename Measured>
Pass run_one_at_a_time_pass(Measured& measured, nanobind::handle commands) {
    return untimed_pass(measured, commands, [](auto&&... given) { run_one_at_a_time(given...); });
}

template <typename Measured>
Pass run_timed_pass(Measured& measured, nanobind::handle commands, std::uint64_t multiplier, unsigned shift,
                    Latencies& latencies) {
    return untimed_pass(measured, commands, [&](auto& engine, auto* in, std::uint64_t count, auto& sink) {
        run_timed(engine, in, count, sink, TickScale{multiplier, shift}, latencies);
    });
}

template <typename Measured>
Pass run_paced_pass(Measured& measured, nanobind::handle commands, nanobind::handle planned, std::uint64_t multiplier,
                    unsigned shift, Timestamps& timestamps, Latencies& latencies, bool on_cpu) {
    const PyBuffer<const std::uint64_t> ticks(planned);
    const TickScale ns{multiplier, shift};
    with_commands(commands, [&](auto in) {
        if (ticks.size() != in.size()) {
            throw nanobind::buffer_error("as many intended start times as commands are needed");
        }
        if (timestamps.capacity() < in.size()) {
            throw nanobind::buffer_error("a timestamp for each command is needed");
        }
    });
    std::uint64_t begin = 0;
    Pass pass = untimed_pass(measured, commands, [&](auto& engine, auto* in, std::uint64_t count, auto& sink) {
        const auto loop = [&](auto run) {
            begin = run(engine, in, ticks.data(), count, sink, ns, timestamps, latencies);
        };
        CounterClock clock;
        if (on_cpu)
            loop([](auto&&... given) { return run_paced_on_cpu(given...); });
        else
            loop([&](auto&&... given) { return run_paced(clock, given...); });
    });
    {
        const nanobind::gil_scoped_release released;
        timestamps.record(begin, ticks.data(), ticks.size(), ns, latencies);
    }
    return pass;
}

/// Make the four passes known to Python, under the same names for each kind of engine.
template <typename Measured>
void register_passes(nanobind::module_& m, const char* engine) {
    namespace nb = nanobind;
    m.def("run_batched", &run_batched_pass<Measured>, nb::arg(engine), nb::arg("commands"));
    m.def("run_one_at_a_time", &run_one_at_a_time_pass<Measured>, nb::arg(engine), nb::arg("commands"));
    m.def("run_timed", &run_timed_pass<Measured>, nb::arg(engine), nb::arg("commands"), nb::arg("multiplier"),
          nb::arg("shift"), nb::arg("latencies"));
    m.def("run_paced", &run_paced_pass<Measured>, nb::arg(engine), nb::arg("commands"), nb::arg("planned"),
          nb::arg("multiplier"), nb::arg("shift"), nb::arg("timestamps"), nb::arg("latencies"), nb::arg("on_cpu"));
}

}  // namespace lowlat
