// The measured passes, each one call: the clock, the counters and the loop are all on this side of the border.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "engine/native/allocations.hpp"
#include "engine/native/buffer.hpp"
#include "engine/native/claim.hpp"
#include "engine/native/passes.hpp"
#include "engine/native/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// What one pass took and did, from counters read right before and right after its loop.
struct Pass {
    std::uint64_t commands;
    std::uint64_t events;
    std::uint64_t ticks;
    std::int64_t cpu_ns;
    std::int64_t allocations;  // -1: not counted in this build
    std::int64_t minor_faults;
    std::int64_t major_faults;
    std::int64_t voluntary_switches;
    std::int64_t involuntary_switches;
    std::vector<Event> tail;  // the last events of the pass, oldest first
};

std::int64_t thread_cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

rusage thread_usage() {
    rusage usage{};
#ifdef RUSAGE_THREAD
    getrusage(RUSAGE_THREAD, &usage);
#else
    getrusage(RUSAGE_SELF, &usage);
#endif
    return usage;
}

/// Run `loop`, which returns the events it gave, between two readings of everything.
template <typename Loop>
Pass watched(std::uint64_t commands, Loop loop) {
    const nb::gil_scoped_release released;
    thread_usage();  // once for nothing: the pages it touches are then in place
    const std::int64_t allocated = allocations();
    const rusage before = thread_usage();
    const std::int64_t cpu_start = thread_cpu_ns();
    const std::uint64_t start = ticks_begin();
    const std::uint64_t events = loop();
    const std::uint64_t ticks = ticks_end() - start;
    const std::int64_t cpu_ns = thread_cpu_ns() - cpu_start;
    const rusage after = thread_usage();
    return {
        .commands = commands,
        .events = events,
        .ticks = ticks,
        .cpu_ns = cpu_ns,
        .allocations = allocated < 0 ? -1 : allocations() - allocated,
        .minor_faults = after.ru_minflt - before.ru_minflt,
        .major_faults = after.ru_majflt - before.ru_majflt,
        .voluntary_switches = after.ru_nvcsw - before.ru_nvcsw,
        .involuntary_switches = after.ru_nivcsw - before.ru_nivcsw,
        .tail = {},
    };
}

/// A ring of events, taken and touched before the pass.
struct Ring {
    std::vector<Event> events = std::vector<Event>(ring_events);
    RingSink sink{events.data(), ring_events - 1};

    /// What the ring holds at the end, in order.
    std::vector<Event> tail() const {
        std::vector<Event> last;
        for (std::uint64_t at = sink.count() - std::min(sink.count(), ring_events); at < sink.count(); ++at)
            last.push_back(events[at % ring_events]);
        return last;
    }
};

Pass run_plain_pass(OwnedMatcher& matcher, nb::handle commands) {
    const Claim claim(matcher);
    const Buffer<const Command> in(commands);
    Ring ring;
    Pass pass = watched(in.size(), [&] {
        run_plain(matcher, in.data(), in.size(), ring.sink);
        return ring.sink.count();
    });
    pass.tail = ring.tail();
    return pass;
}

Pass run_stamped_pass(OwnedMatcher& matcher, nb::handle commands, std::uint64_t multiplier, unsigned shift,
                      Latencies& latencies) {
    const Claim claim(matcher);
    const Buffer<const Command> in(commands);
    Ring ring;
    Pass pass = watched(in.size(), [&] {
        run_stamped(matcher, in.data(), in.size(), ring.sink, TickScale{multiplier, shift}, latencies);
        return ring.sink.count();
    });
    pass.tail = ring.tail();
    return pass;
}

Pass run_clock_pass(nb::handle commands, std::uint64_t multiplier, unsigned shift, Histogram& histogram) {
    const Buffer<const Command> in(commands);
    return watched(in.size(), [&] {
        run_empty(in.data(), in.size(), TickScale{multiplier, shift}, histogram);
        return std::uint64_t{0};
    });
}

Pass run_loop_pass(nb::handle commands) {
    const Buffer<const Command> in(commands);
    return watched(in.size(), [&] {
        run_loop_only(in.data(), in.size());
        return std::uint64_t{0};
    });
}

}  // namespace

void register_run(nb::module_& m) {
    nb::module_::import_("reports._core");  // knows Histogram, which crosses the border here
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
        .def_prop_ro("tail", [](const Pass& self) {
            return nb::bytes(reinterpret_cast<const char*>(self.tail.data()), self.tail.size() * sizeof(Event));
        });
    nb::class_<Latencies>(m, "Latencies")
        .def(nb::init<>())
        .def(
            "histogram", [](Latencies& self, std::size_t operation) -> Histogram& { return self.of.at(operation); },
            nb::rv_policy::reference_internal, nb::arg("operation"))
        .def_ro("gap_max_ticks", &Latencies::gap_max_ticks);
    m.def("run_plain", &run_plain_pass, nb::arg("matcher"), nb::arg("commands"));
    m.def("run_stamped", &run_stamped_pass, nb::arg("matcher"), nb::arg("commands"), nb::arg("multiplier"),
          nb::arg("shift"), nb::arg("latencies"));
    m.def("run_clock", &run_clock_pass, nb::arg("commands"), nb::arg("multiplier"), nb::arg("shift"),
          nb::arg("histogram"));
    m.def("run_loop", &run_loop_pass, nb::arg("commands"));
    m.def("allocations", &allocations);
    m.def("operations", [] { return std::vector<std::string>(operation_names.begin(), operation_names.end()); });
}

}  // namespace lowlat
