#include "probes/native/cpuid.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <tuple>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {

void register_cpuid(nb::module_& m) {
    using Registers = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
    m.def(
        "cpuid",
        [](std::uint32_t leaf, std::uint32_t subleaf) -> std::optional<Registers> {
            const auto r = cpuid({.leaf = leaf, .subleaf = subleaf});
            if (!r) return std::nullopt;
            return Registers{r->eax, r->ebx, r->ecx, r->edx};
        },
        "leaf"_a, "subleaf"_a = 0,
        "EAX, EBX, ECX, EDX of a leaf, or None where it is not defined here or this is no x86-64.");
}

}  // namespace lowlat
