#include "engine/native/flow/synthetic.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

template <typename Record>
FlowComposition fill(const FlowProfile& profile, std::uint64_t seed, nb::handle commands) {
    const PyBuffer<Record> out(commands);
    if (out.size() < profile.live_orders) throw nb::buffer_error("fewer commands than the book is seeded with");
    const nb::gil_scoped_release released;
    SyntheticFlow flow(profile, seed);
    flow.reserve(out.size());
    flow.seed(out.data());
    flow.generate(out.data() + profile.live_orders, out.size() - profile.live_orders);
    return flow.composition();
}

/// Fill `commands`: first the seeding ones, then `length - live_orders` of the flow itself.
FlowComposition generate(const FlowProfile& profile, std::uint64_t seed, nb::handle commands) {
    const bool extended = PyBuffer<std::byte>(commands).itemsize() == sizeof(ExtendedCommand);
    return extended ? fill<ExtendedCommand>(profile, seed, commands) : fill<Command>(profile, seed, commands);
}

void set_weights(FlowProfile& profile, nb::handle weights) {
    const PyBuffer<const std::uint32_t> given(weights);
    if (given.size() != acts) throw nb::buffer_error("a weight for each act");
    std::copy_n(given.data(), acts, profile.weights.begin());
}

void set_popularity(FlowProfile& profile, nb::handle weights) {
    const PyBuffer<const std::uint64_t> given(weights);
    if (given.size() != profile.symbols) throw nb::buffer_error("a weight for each symbol");
    profile.popularity.assign(given.data(), given.data() + given.size());
}

Distribution distribution(nb::handle rows, std::uint32_t least) {
    const PyBuffer<const std::uint64_t> given(rows);
    return {std::span(given.data(), given.size()), least};
}

void set_quantities(FlowProfile& profile, nb::handle resting, nb::handle aggressive) {
    profile.resting_quantity = distribution(resting, 1);
    profile.aggressive_quantity = distribution(aggressive, 1);
}

void set_placement(FlowProfile& profile, std::uint32_t spread_ticks, std::uint64_t improve, std::uint64_t join,
                   std::optional<std::uint64_t> new_level, nb::handle improve_ticks, nb::handle behind_ticks) {
    profile.placement = {.spread_ticks = spread_ticks,
                         .improve = improve,
                         .join = join,
                         .new_level = new_level.value_or(PlacementProfile::as_it_falls),
                         .improve_ticks = distribution(improve_ticks, 1),
                         .behind_ticks = distribution(behind_ticks, 1)};
}

void add_lifetimes(FlowProfile& profile, std::uint32_t within_ticks, nb::handle commands) {
    profile.lifetimes.push_back({.within_ticks = within_ticks, .commands = distribution(commands, 1)});
}

void set_aggression(FlowProfile& profile, std::uint64_t clear, std::uint64_t sweep, nb::handle sweep_levels) {
    profile.aggression = {.clear = clear, .sweep = sweep, .sweep_levels = distribution(sweep_levels, 2)};
}

std::vector<std::uint64_t> commands_by_act(const FlowComposition& composition) {
    return {composition.commands.begin(), composition.commands.end()};
}

}  // namespace

void register_flow(nb::module_& m) {
    nb::class_<FlowProfile>(m, "FlowProfile")
        .def(nb::init<>())
        .def("set_weights", &set_weights, nb::arg("weights"))
        .def("set_popularity", &set_popularity, nb::arg("weights"))
        .def("set_quantities", &set_quantities, nb::arg("resting"), nb::arg("aggressive"))
        .def("set_placement", &set_placement, nb::arg("spread_ticks"), nb::arg("improve"), nb::arg("join"),
             nb::arg("new_level").none(), nb::arg("improve_ticks"), nb::arg("behind_ticks"))
        .def("add_lifetimes", &add_lifetimes, nb::arg("within_ticks"), nb::arg("commands"))
        .def("set_aggression", &set_aggression, nb::arg("clear"), nb::arg("sweep"), nb::arg("sweep_levels"))
        .def_rw("symbols", &FlowProfile::symbols)
        .def_rw("live_orders", &FlowProfile::live_orders)
        .def_rw("distance_ticks", &FlowProfile::distance_ticks)
        .def_rw("uniform", &FlowProfile::uniform)
        .def_rw("quantity_max", &FlowProfile::quantity_max)
        .def_rw("take_quantity_max", &FlowProfile::take_quantity_max)
        .def_rw("take_ticks", &FlowProfile::take_ticks)
        .def_rw("travel_ticks", &FlowProfile::travel_ticks)
        .def_rw("travel_per_1000", &FlowProfile::travel_per_1000)
        .def_rw("owners", &FlowProfile::owners)
        .def_rw("pro_rata", &FlowProfile::pro_rata);
    nb::class_<FlowComposition>(m, "FlowComposition")
        .def_prop_ro("commands", &commands_by_act)
        .def_ro("trades", &FlowComposition::trades)
        .def_ro("rejects", &FlowComposition::rejects)
        .def_ro("aggressors", &FlowComposition::aggressors)
        .def_ro("levels_touched", &FlowComposition::levels_touched)
        .def_ro("levels_touched_max", &FlowComposition::levels_touched_max)
        .def_ro("live_sum", &FlowComposition::live_sum)
        .def_ro("live_max", &FlowComposition::live_max)
        .def_ro("levels_sum", &FlowComposition::levels_sum)
        .def_ro("levels_max", &FlowComposition::levels_max)
        .def_ro("touch_min", &FlowComposition::touch_min)
        .def_ro("touch_max", &FlowComposition::touch_max);
    m.def("generate_flow", &generate, nb::arg("profile"), nb::arg("seed"), nb::arg("commands"));
}

}  // namespace lowlat
