// Low-level Python binding of the flow follower; engine/flow/statistics prepares the matcher and reads the rows.
#include "engine/native/flow/follower.hpp"

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstdint>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

void follow(FlowFollower& follower, nb::handle commands, nb::handle rows) {
    with_commands(commands, [&](auto in) {
        const PyBuffer<FollowedCommand> out(rows);
        if (out.size() < in.size()) throw nb::buffer_error("fewer rows than commands");
        const nb::gil_scoped_release released;
        follower.follow(in.data(), in.size(), out.data());
    });
}

std::uint64_t lives_ended(FlowFollower& follower) {
    return follower.lives().ended().size();
}

/// Move the lives that ended so far to `lives`.
void take_lives(FlowFollower& follower, nb::handle lives) {
    const PyBuffer<OrderLife> out(lives);
    const auto& ended = follower.lives().ended();
    if (out.size() != ended.size()) throw nb::buffer_error("another number of lives than ended");
    std::copy(ended.begin(), ended.end(), out.data());
    follower.lives().forget_ended();
}

}  // namespace

void register_follower(const nb::module_& m) {
    nb::class_<FlowFollower>(m, "FlowFollower")
        .def(nb::init<OwnedMatcher&>(), nb::arg("matcher"), nb::keep_alive<1, 2>())
        .def("follow", &follow, nb::arg("commands"), nb::arg("rows"))
        .def("finish", &FlowFollower::finish)
        .def_prop_ro("lives_ended", &lives_ended)
        .def("take_lives", &take_lives, nb::arg("lives"));
}

}  // namespace lowlat
