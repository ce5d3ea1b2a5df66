#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "probes/native/memory_bandwidth.hpp"
#include "probes/native/memory_chase.hpp"
#include "probes/native/memory_region.hpp"
#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {
namespace {

void register_region(const nb::module_& m) {
    nb::class_<MemoryRegion>(m, "MemoryRegion")
        .def(
            "__init__",
            [](MemoryRegion* made, std::size_t bytes, int pages, std::size_t huge_bytes) {
                new (made) MemoryRegion(bytes, static_cast<PageChoice>(pages), huge_bytes);
            },
            "bytes"_a, "pages"_a, "huge_bytes"_a, "mmap of memory on base (0), transparent (1) or reserved (2) pages.")
        .def_prop_ro("error", &MemoryRegion::error)
        .def_prop_ro("address",
                     [](const MemoryRegion& region) { return reinterpret_cast<std::uintptr_t>(region.start()); })
        .def_prop_ro("bytes", &MemoryRegion::bytes)
        .def(
            "populate",
            [](MemoryRegion& region, std::size_t offset, std::size_t bytes) {
                const nb::gil_scoped_release unlocked;
                return region.populate(offset, bytes);
            },
            "offset"_a, "bytes"_a, "Have the kernel give memory to a part; 0 or an errno.");
}

void register_chase(const nb::module_& m) {
    nb::class_<PointerChase>(m, "PointerChase")
        .def(
            "__init__",
            [](PointerChase* made, MemoryRegion& region, std::size_t line_bytes) {
                new (made) PointerChase(region.start(), line_bytes);
            },
            "region"_a, "line_bytes"_a, nb::keep_alive<1, 2>())
        .def_prop_ro("bytes", &PointerChase::bytes)
        .def(
            "extend",
            [](PointerChase& chase, std::size_t bytes) {
                const nb::gil_scoped_release unlocked;
                chase.extend(bytes);
            },
            "bytes"_a, "Grow the random cycle to this size, within populated memory.")
        .def(
            "measure",
            [](PointerChase& chase, std::int64_t duration_ns, std::size_t samples_min, std::size_t samples_max) {
                const nb::gil_scoped_release unlocked;
                return chase.measure(
                    {.duration_ns = duration_ns, .samples_min = samples_min, .samples_max = samples_max});
            },
            "duration_ns"_a, "samples_min"_a, "samples_max"_a, "Ticks of a load, sample by sample.");
}

void register_bandwidth(nb::module_& m) {
    nb::class_<ThreadBandwidth>(m, "ThreadBandwidth")
        .def_ro("ns_of_mebibyte", &ThreadBandwidth::ns_of_mebibyte)
        .def_ro("errors", &ThreadBandwidth::errors);
    m.def(
        "measure_bandwidth",
        [](const std::vector<std::tuple<unsigned, std::uintptr_t, std::size_t>>& memory, int work,
           std::int64_t duration_ns) {
            std::vector<ThreadMemory> threads;
            threads.reserve(memory.size());
            for (const auto& [cpu, address, bytes] : memory)
                // NOLINTNEXTLINE(performance-no-int-to-ptr): Python passes addresses as numbers
                threads.push_back({.cpu = cpu, .start = reinterpret_cast<std::byte*>(address), .bytes = bytes});
            const nb::gil_scoped_release unlocked;
            return measure_bandwidth(threads, static_cast<MemoryWork>(work), duration_ns);
        },
        "memory"_a, "work"_a, "duration_ns"_a,
        "Threads that read (0), write (1) or copy (2), at once, each (CPU, address, bytes): the time of each block.");
}

}  // namespace

void register_memory(nb::module_& m) {
    register_region(m);
    register_chase(m);
    register_bandwidth(m);
}

}  // namespace lowlat
