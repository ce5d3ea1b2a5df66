// The measured passes, one call each: clock, counters and loop are all native.
#include "engine/native/bench/loops.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/native/bench/measured_call.hpp"
#include "engine/native/bench/stage_recordings.hpp"
#include "engine/native/bindings/measured_passes.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "probes/native/perf_group.hpp"

namespace nb = nanobind;

namespace lowlat {

namespace {

/// An event ring, allocated and touched before the pass.
struct Ring {
    std::vector<Event> events = std::vector<Event>(ring_events);
    RingSink sink{events.data(), ring_events - 1};

    std::vector<Event> tail() const { return last_events(events.data(), ring_events, sink.count()); }
};

}  // namespace

/// Our engine, claimed, with a ring for its events.
template <typename Records, typename Run>
static Pass with_engine(OwnedMatcher& matcher, const Records&, Run run) {
    const ExclusiveUse claim(matcher);
    Ring ring;
    Pass pass = run(static_cast<Matcher&>(matcher), ring.sink);
    pass.tail = ring.tail();
    return pass;
}

namespace {

Measure measure_named(const std::string& name) {
    const auto found = std::find(measure_names.begin(), measure_names.end(), name);
    if (found == measure_names.end()) throw nb::key_error(name.c_str());
    return static_cast<Measure>(found - measure_names.begin());
}

Pass run_paced_nothing_pass(std::uint64_t count, bool logged) {
    const std::vector<std::uint64_t> planned(count);
    Timestamps timestamps(count);
    Latencies latencies({Measure::response});
    return measured_call(count, [&] {
        run_paced_nothing(planned.data(), count, timestamps, logged, ns_of_ticks(1e9), latencies);
        return std::uint64_t{0};
    });
}

/// Cost of measuring for one thread of a pipeline, without its work.
template <typename Loop>
Pass measuring_pass(std::uint64_t count, Loop loop) {
    return measured_call(count, [&] {
        loop(count);
        return std::uint64_t{0};
    });
}

void register_pipeline_nothing(nb::module_& m) {
    m.def(
        "produce_nothing", [](std::uint64_t count) { return measuring_pass(count, produce_nothing); },
        nb::arg("count"));
    m.def("match_nothing", [](std::uint64_t count) { return measuring_pass(count, match_nothing); }, nb::arg("count"));
    m.def(
        "publish_nothing",
        [](std::uint64_t count) {
            Latencies latencies({Measure::service, Measure::queued, Measure::matched, Measure::published,
                                 Measure::response, Measure::scheduling_delay});
            return measuring_pass(count, [&](std::uint64_t all) { publish_nothing(all, latencies); });
        },
        nb::arg("count"));
}

Pass run_batches_pass(OwnedMatcher& matcher, nb::handle commands, std::uint64_t batch, JournalWriter* journal,
                      std::uint64_t limit_ticks) {
    const ExclusiveUse claim(matcher);
    if (batch == 0) throw nb::index_error("a batch has a command");
    Ring ring;
    std::uint64_t done = 0;
    Pass pass = with_commands(commands, [&](auto in) {
        return measured_call(in.size(), [&] {
            done = run_batches(matcher, in.data(), in.size(), batch, journal, limit_ticks, ring.sink);
            return ring.sink.count();
        });
    });
    pass.commands = done;
    return pass;
}

Pass run_clock_pass(nb::handle commands, std::uint64_t multiplier, unsigned shift, Histogram& histogram) {
    return with_commands(commands, [&](auto in) {
        return measured_call(in.size(), [&] {
            run_empty(in.data(), in.size(), TickScale{multiplier, shift}, histogram);
            return std::uint64_t{0};
        });
    });
}

Pass run_loop_pass(nb::handle commands) {
    return with_commands(commands, [&](auto in) {
        return measured_call(in.size(), [&] {
            run_loop_only(in.data(), in.size());
            return std::uint64_t{0};
        });
    });
}

void register_counters(nb::module_& m) {
    nb::class_<PerfReading>(m, "PerfReading")
        .def_ro("enabled_ns", &PerfReading::enabled_ns)
        .def_ro("running_ns", &PerfReading::running_ns)
        .def_ro("counts", &PerfReading::counts)
        .def_ro("error", &PerfReading::error);
    nb::class_<PerfGroup>(m, "PerfGroup")
        .def(
            "__init__",
            [](PerfGroup* self, const std::vector<std::pair<std::uint32_t, std::uint64_t>>& named) {
                std::vector<PerfGroup::Event> events;
                events.reserve(named.size());
                for (const auto& [type, config] : named) events.push_back({type, config});
                new (self) PerfGroup(events);
            },
            nb::arg("events"))
        .def_prop_ro("errors", &PerfGroup::errors)
        .def("read", &PerfGroup::read);
    m.def("count_with", [](const PerfGroup* group) { counting_group = group; }, nb::arg("group").none());
}

void register_pass(const nb::module_& m) {
    nb::class_<Pass>(m, "Pass")
        .def_ro("commands", &Pass::commands)
        .def_ro("events", &Pass::events)
        .def_ro("ticks", &Pass::ticks)
        .def_ro("cpu_ns", &Pass::cpu_ns)
        .def_ro("allocations", &Pass::allocations)
        .def_ro("minor_faults", &Pass::minor_faults)
        .def_ro("major_faults", &Pass::major_faults)
        .def_ro("voluntary_switches", &Pass::voluntary_switches)
        .def_ro("involuntary_switches", &Pass::involuntary_switches)
        .def_ro("perf", &Pass::perf)
        .def_prop_ro("tail", [](const Pass& self) {
            return nb::bytes(reinterpret_cast<const char*>(self.tail.data()), self.tail.size() * sizeof(Event));
        });
}

void register_latencies(const nb::module_& m) {
    nb::class_<Latencies>(m, "Latencies")
        .def(
            "__init__",
            [](Latencies* self, const std::vector<std::string>& names) {
                std::vector<Measure> kept;
                kept.reserve(names.size());
                for (const std::string& name : names) kept.push_back(measure_named(name));
                new (self) Latencies(kept);
            },
            nb::arg("measures"))
        .def(
            "histogram",
            [](Latencies& self, const std::string& measure, std::size_t operation) -> Histogram& {
                return self.of(measure_named(measure)).at(operation);
            },
            nb::rv_policy::reference_internal, nb::arg("measure"), nb::arg("operation"))
        .def(
            "log",
            [](Latencies& self, const std::string& measure, IntervalHistograms& intervals) {
                if (intervals.count() != operations) throw nb::index_error("one histogram an operation is needed");
                self.log(measure_named(measure), intervals);
            },
            nb::keep_alive<1, 3>(), nb::arg("measure"), nb::arg("intervals"))
        .def_ro("gap_max_ticks", &Latencies::gap_max_ticks)
        .def_ro("waited_ns", &Latencies::waited_ns);
}

void register_timestamps(const nb::module_& m) {
    nb::class_<Timestamps>(m, "Timestamps")
        .def(nb::init<std::uint64_t>(), nb::arg("capacity"))
        .def_prop_ro("memory", [](const Timestamps& self) {
            const LockedRegion& region = self.memory();
            return std::make_tuple(std::string("timestamps"), reinterpret_cast<std::uintptr_t>(region.start()),
                                   region.bytes(), region.huge_asked(), region.lock_error());
        });
}

}  // namespace

void register_run(nb::module_& m) {
    nb::module_::import_("lowlat.reports._core");  // registers Histogram, which is used here
    register_counters(m);
    register_pass(m);
    register_latencies(m);
    register_timestamps(m);
    register_passes<OwnedMatcher>(m, "matcher");
    m.def("run_paced_nothing", &run_paced_nothing_pass, nb::arg("count"), nb::arg("logged"));
    m.def("run_batches", &run_batches_pass, nb::arg("matcher"), nb::arg("commands"), nb::arg("batch"),
          nb::arg("journal").none(), nb::arg("limit_ticks"));
    m.def("run_clock", &run_clock_pass, nb::arg("commands"), nb::arg("multiplier"), nb::arg("shift"),
          nb::arg("histogram"));
    m.def("run_loop", &run_loop_pass, nb::arg("commands"));
    register_pipeline_nothing(m);
    m.def("allocations", &allocations);
    m.def("operations", [] { return std::vector<std::string>(operation_names.begin(), operation_names.end()); });
}

}  // namespace lowlat
