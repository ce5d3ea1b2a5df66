#include "engine/native/flow/synthetic.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

template <typename Record>
FloodComposition fill(const FloodProfile& profile, std::uint64_t seed, nb::handle commands) {
    const Buffer<Record> out(commands);
    if (out.size() < profile.live_orders) throw nb::buffer_error("fewer commands than the book is seeded with");
    const nb::gil_scoped_release released;
    Flood flood(profile, seed);
    flood.reserve(out.size());
    flood.seed(out.data());
    flood.generate(out.data() + profile.live_orders, out.size() - profile.live_orders);
    return flood.composition();
}

/// Fill `commands`: first the seeding ones, then `length - live_orders` of the flow itself.
FloodComposition generate(const FloodProfile& profile, std::uint64_t seed, nb::handle commands) {
    const bool extended = Buffer<std::byte>(commands).itemsize() == sizeof(ExtendedCommand);
    return extended ? fill<ExtendedCommand>(profile, seed, commands) : fill<Command>(profile, seed, commands);
}

void set_weights(FloodProfile& profile, nb::handle weights) {
    const Buffer<const std::uint32_t> given(weights);
    if (given.size() != acts) throw nb::buffer_error("a weight for each act");
    std::copy_n(given.data(), acts, profile.weights.begin());
}

std::vector<std::uint64_t> commands_by_act(const FloodComposition& composition) {
    return {composition.commands.begin(), composition.commands.end()};
}

}  // namespace

void register_flood(nb::module_& m) {
    nb::class_<FloodProfile>(m, "FloodProfile")
        .def(nb::init<>())
        .def("set_weights", &set_weights, nb::arg("weights"))
        .def_rw("symbols", &FloodProfile::symbols)
        .def_rw("live_orders", &FloodProfile::live_orders)
        .def_rw("distance_ticks", &FloodProfile::distance_ticks)
        .def_rw("uniform", &FloodProfile::uniform)
        .def_rw("quantity_max", &FloodProfile::quantity_max)
        .def_rw("take_quantity_max", &FloodProfile::take_quantity_max)
        .def_rw("take_ticks", &FloodProfile::take_ticks)
        .def_rw("travel_ticks", &FloodProfile::travel_ticks)
        .def_rw("travel_per_1000", &FloodProfile::travel_per_1000)
        .def_rw("owners", &FloodProfile::owners)
        .def_rw("pro_rata", &FloodProfile::pro_rata);
    nb::class_<FloodComposition>(m, "FloodComposition")
        .def_prop_ro("commands", &commands_by_act)
        .def_ro("trades", &FloodComposition::trades)
        .def_ro("rejects", &FloodComposition::rejects)
        .def_ro("aggressors", &FloodComposition::aggressors)
        .def_ro("levels_touched", &FloodComposition::levels_touched)
        .def_ro("levels_touched_max", &FloodComposition::levels_touched_max)
        .def_ro("live_sum", &FloodComposition::live_sum)
        .def_ro("live_max", &FloodComposition::live_max)
        .def_ro("levels_sum", &FloodComposition::levels_sum)
        .def_ro("levels_max", &FloodComposition::levels_max)
        .def_ro("touch_min", &FloodComposition::touch_min)
        .def_ro("touch_max", &FloodComposition::touch_max);
    m.def("generate_flood", &generate, nb::arg("profile"), nb::arg("seed"), nb::arg("commands"));
}

}  // namespace lowlat
