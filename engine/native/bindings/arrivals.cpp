#include "engine/native/flow/arrivals.hpp"

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

using Times = PyBuffer<std::uint64_t>;

std::span<std::uint64_t> all(const Times& times) {
    return {times.data(), times.size()};
}

void constant(std::uint64_t rate_per_s, nb::handle times_ps) {
    const Times out(times_ps);
    const nb::gil_scoped_release released;
    fill_constant(rate_per_s, all(out));
}

void poisson(std::uint64_t seed, std::uint64_t span_ps, nb::handle times_ps) {
    const Times out(times_ps);
    const nb::gil_scoped_release released;
    fill_arrivals(PoissonArrivals(seed), span_ps, all(out));
}

void burst(std::uint64_t seed, std::uint64_t branching, std::uint64_t decay, std::uint64_t span_ps,
           nb::handle times_ps) {
    const Times out(times_ps);
    const nb::gil_scoped_release released;
    fill_arrivals(BurstArrivals(seed, {.branching = branching, .decay = decay}), span_ps, all(out));
}

}  // namespace

void register_arrivals(nb::module_& m) {
    m.def("constant_arrivals", &constant, nb::arg("rate_per_s"), nb::arg("times_ps"));
    m.def("poisson_arrivals", &poisson, nb::arg("seed"), nb::arg("span_ps"), nb::arg("times_ps"));
    m.def("burst_arrivals", &burst, nb::arg("seed"), nb::arg("branching"), nb::arg("decay"), nb::arg("span_ps"),
          nb::arg("times_ps"));
}

}  // namespace lowlat
