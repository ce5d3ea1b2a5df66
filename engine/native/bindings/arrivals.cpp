#include "engine/native/flow/arrivals.hpp"

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

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

/// `kernels`: rows of branching and decay.
void hawkes(std::uint64_t seed, nb::handle kernels, std::uint64_t span_ps, nb::handle times_ps) {
    const PyBuffer<const std::uint64_t> rows(kernels);
    std::vector<Excitation> excitations;
    for (std::size_t at = 0; at + 1 < rows.size(); at += 2)
        excitations.push_back({.branching = rows.data()[at], .decay = rows.data()[at + 1]});
    const Times out(times_ps);
    const nb::gil_scoped_release released;
    fill_arrivals(HawkesArrivals(seed, excitations), span_ps, all(out));
}

}  // namespace

void register_arrivals(nb::module_& m) {
    m.def("constant_arrivals", &constant, nb::arg("rate_per_s"), nb::arg("times_ps"));
    m.def("poisson_arrivals", &poisson, nb::arg("seed"), nb::arg("span_ps"), nb::arg("times_ps"));
    m.def("hawkes_arrivals", &hawkes, nb::arg("seed"), nb::arg("kernels"), nb::arg("span_ps"), nb::arg("times_ps"));
}

}  // namespace lowlat
