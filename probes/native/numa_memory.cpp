#include "probes/native/numa_memory.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "probes/native/registrations.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lowlat {
namespace {

// Python passes addresses as numbers.
const void* pointer(std::uintptr_t address) {
    return reinterpret_cast<const void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

void register_numa_memory(nb::module_& m) {
    m.def("set_thread_memory_policy", &set_thread_memory_policy, "policy"_a, "nodes"_a,
          "set_mempolicy for the calling thread; 0 or an errno.");
    m.def(
        "get_thread_memory_policy",
        [] {
            int policy = 0;
            std::vector<unsigned> nodes;
            const int error = get_thread_memory_policy(policy, nodes);
            return std::tuple{error, policy, nodes};
        },
        "get_mempolicy of the calling thread: 0 or an errno, the policy, its nodes.");
    m.def(
        "bind_memory",
        [](std::uintptr_t address, std::size_t bytes, int policy, unsigned node) {
            const nb::gil_scoped_release unlocked;
            return bind_memory(pointer(address), bytes, static_cast<MemoryPolicy>(policy), node);
        },
        "address"_a, "bytes"_a, "policy"_a, "node"_a, "mbind with moving; 0 or an errno.");
    m.def(
        "query_page_nodes",
        [](std::uintptr_t address, std::size_t bytes) {
            std::vector<int> nodes;
            const nb::gil_scoped_release unlocked;
            const int error = query_page_nodes(pointer(address), bytes, nodes);
            return std::tuple{error, nodes};
        },
        "address"_a, "bytes"_a, "move_pages as a question: 0 or an errno, and each page's node or minus an errno.");
}

}  // namespace lowlat
