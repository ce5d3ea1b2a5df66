// The pieces that `lowlat ablate` measures in two variants: one call for a trial.
#include <nanobind/nanobind.h>
#include <nanobind/stl/unique_ptr.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "engine/native/ablation/book_publishing.hpp"
#include "engine/native/ablation/clock_reads.hpp"
#include "engine/native/ablation/consumer_wait.hpp"
#include "engine/native/ablation/hand_over.hpp"
#include "engine/native/ablation/index_padding.hpp"
#include "engine/native/ablation/level_arrays.hpp"
#include "engine/native/ablation/look_ahead.hpp"
#include "engine/native/ablation/match_path.hpp"
#include "engine/native/ablation/next_level.hpp"
#include "engine/native/ablation/order_lookup.hpp"
#include "engine/native/ablation/order_memory.hpp"
#include "engine/native/ablation/reclaimed_memory.hpp"
#include "engine/native/ablation/resident_memory.hpp"
#include "engine/native/ablation/trial.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/sinks.hpp"

namespace nb = nanobind;

namespace lowlat {

namespace {

/// More events than a command makes.
constexpr std::uint64_t kept_events = 1U << 12;

Pass measure_look_ahead(OwnedMatcher& matcher, nb::handle commands, bool with) {
    const ExclusiveUse claim(matcher);
    std::vector<Event> events(kept_events);
    RingSink sink{events.data(), kept_events - 1};
    return with_commands(commands, [&](auto in) {
        return measured_call(in.size(), [&] {
            run_ablated_batch(static_cast<Matcher&>(matcher), in.data(), in.size(), sink, with);
            return sink.count();
        });
    });
}

using lowlat_match_path::MatchPath;

std::unique_ptr<MatchPath> match_path(nb::handle rules, std::uint32_t orders, std::uint64_t trades, bool hints) {
    const PyBuffer<const SymbolRules> rows(rules);
    const lowlat_match_path::Sizes sizes{std::as_bytes(std::span(rows.data(), rows.size())), orders, trades};
    return hints ? lowlat_match_path::with_hints(sizes) : lowlat_match_path::without_hints(sizes);
}

Pass execute_batch(MatchPath& path, nb::handle commands) {
    return with_commands(commands, [&](auto in) {
        constexpr bool extended = sizeof(in[0]) == sizeof(ExtendedCommand);
        return measured_call(in.size(), [&] { return path.execute(std::as_bytes(in), extended); });
    });
}

void register_match_path(nb::module_& m) {
    m.def("match_path", &match_path, nb::arg("rules"), nb::arg("orders"), nb::arg("trades"), nb::arg("hints"));
    nb::class_<MatchPath>(m, "MatchPath")
        .def("reset", &MatchPath::reset)
        .def("execute", &execute_batch, nb::arg("commands"), nb::sig("def execute(self, commands: object) -> Pass"))
        .def("events", [](const MatchPath& path) {
            const std::span<const std::byte> events = path.events();
            return nb::bytes(events.data(), events.size());
        });
}

/// Measure; what the system refused is an OSError.
template <typename Measure>
Pass with_refusals(Measure measure) {
    try {
        return measure();
    } catch (const std::system_error& error) {
        errno = error.code().value();
        PyErr_SetFromErrno(PyExc_OSError);
        throw nb::python_error();
    }
}

/// Make a piece known to Python; `measure` takes the trial, and `More` if there are any. `latencies`: None for a pass
/// without a clock between the operations.
template <typename... More, typename Measure, typename... Names>
void register_piece(nb::module_& m, const char* name, Measure measure, Names... names) {
    m.def(
        name,
        [measure](bool with, std::uint64_t operations, std::uint64_t seed, std::uint64_t multiplier, unsigned shift,
                  Histogram* latencies, More... more) {
            const Trial trial{with, operations, seed, {multiplier, shift}, latencies};
            return with_refusals([&] { return measure(trial, more...); });
        },
        nb::arg("with_it"), nb::arg("operations"), nb::arg("seed"), nb::arg("multiplier"), nb::arg("shift"),
        nb::arg("latencies").none(), names...);
}

Pass scattered_reads(const Trial& trial, const nb::callable& look) {
    return measure_scattered_reads(trial, [&](const LockedRegion& region) {
        look(reinterpret_cast<std::uintptr_t>(region.start()), region.bytes());
    });
}

}  // namespace

void register_ablation(nb::module_& m) {
    m.def("ablate_look_ahead", &measure_look_ahead, nb::arg("matcher"), nb::arg("commands"), nb::arg("with_it"));
    register_match_path(m);
    register_piece(m, "ablate_order_memory", measure_order_memory);
    register_piece(m, "ablate_order_lookup", measure_order_lookup);
    register_piece(m, "ablate_first_writes", measure_first_writes);
    register_piece(m, "ablate_clock_reads", measure_clock_reads);
    register_piece(m, "ablate_next_level", measure_next_level);
    register_piece(m, "ablate_level_scan", measure_level_scan);
    register_piece(m, "ablate_price_sums", measure_price_sums);
    register_piece(m, "ablate_level_updates", measure_level_updates);
    register_piece<int>(m, "ablate_reclaimed_reads", measure_reclaimed_reads, nb::arg("file"));
    register_piece<nb::typed<nb::callable, void(std::uintptr_t, std::size_t)>>(m, "ablate_scattered_reads",
                                                                               scattered_reads, nb::arg("look"));
    register_piece<unsigned>(m, "ablate_index_padding", measure_index_padding, nb::arg("other_cpu"));
    register_piece<unsigned>(m, "ablate_hand_over", measure_hand_over, nb::arg("other_cpu"));
    register_piece<unsigned>(m, "ablate_book_publishing", measure_book_publishing, nb::arg("other_cpu"));
    register_piece<unsigned>(m, "ablate_spinning", measure_wait<SpinWait>, nb::arg("other_cpu"));
    register_piece<unsigned>(m, "ablate_yielding", measure_wait<YieldWait>, nb::arg("other_cpu"));
}

}  // namespace lowlat
