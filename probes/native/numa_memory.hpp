// Memory on a chosen NUMA node, by system call, without libnuma. Functions return 0 or an errno; ENOSYS if the kernel
// or the platform has no NUMA support.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__linux__)
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lowlat {

enum class MemoryPolicy : int {
    as_inherited = 0,  // on the node of the CPU that first touches a page
    preferred = 1,     // on the node, or elsewhere when it is full
    bind = 2,          // on the node only
};

namespace detail {

inline constexpr unsigned nodes_max = 1024;  // CONFIG_NODES_SHIFT is at most 10
inline constexpr unsigned word_bits = 8 * sizeof(unsigned long);

struct NodeMask {
    unsigned long words[nodes_max / word_bits] = {};

    void add(unsigned node) noexcept { words[node / word_bits] |= 1ul << (node % word_bits); }
    [[nodiscard]] bool has(unsigned node) const noexcept {
        return (words[node / word_bits] >> node % word_bits & 1) != 0;
    }
};

}  // namespace detail

#if defined(__linux__)
static_assert(static_cast<int>(MemoryPolicy::as_inherited) == MPOL_DEFAULT);
static_assert(static_cast<int>(MemoryPolicy::preferred) == MPOL_PREFERRED);
static_assert(static_cast<int>(MemoryPolicy::bind) == MPOL_BIND);

// Sets the calling thread's policy for pages it touches first from now on; a value of linux/mempolicy.h.
inline int set_thread_memory_policy(int policy, const std::vector<unsigned>& nodes) noexcept {
    detail::NodeMask mask;
    for (const unsigned node : nodes) {
        if (node >= detail::nodes_max) return EINVAL;
        mask.add(node);
    }
    // The kernel uses one bit less than the given number, hence + 1.
    const long result = syscall(SYS_set_mempolicy, policy, nodes.empty() ? nullptr : mask.words,
                                nodes.empty() ? 0ul : detail::nodes_max + 1ul);
    return result == 0 ? 0 : errno;
}

// Binds the whole pages of a mapped range, and moves those that are elsewhere. `address` must be a multiple of the page
// size. EIO: some pages are shared with another process and were not moved.
inline int bind_memory(const void* address, std::size_t bytes, MemoryPolicy policy, unsigned node) noexcept {
    if (node >= detail::nodes_max) return EINVAL;
    detail::NodeMask mask;
    mask.add(node);
    const unsigned flags = MPOL_MF_MOVE | (policy == MemoryPolicy::bind ? MPOL_MF_STRICT : 0u);
    const long result =
        syscall(SYS_mbind, address, bytes, static_cast<int>(policy), mask.words, detail::nodes_max + 1ul, flags);
    return result == 0 ? 0 : errno;
}

// The calling thread's policy, and its nodes in ascending order.
inline int get_thread_memory_policy(int& policy, std::vector<unsigned>& nodes) {
    detail::NodeMask mask;
    if (syscall(SYS_get_mempolicy, &policy, mask.words, detail::nodes_max + 1ul, nullptr, 0ul) != 0) return errno;
    for (unsigned node = 0; node < detail::nodes_max; ++node) {
        if (mask.has(node)) nodes.push_back(node);
    }
    return 0;
}

// For each page of a range: its node, or minus an errno (-ENOENT: not touched yet). Moves nothing.
inline int query_page_nodes(const void* address, std::size_t bytes, std::vector<int>& nodes) {
    const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto first = reinterpret_cast<std::uintptr_t>(address) / page_bytes * page_bytes;
    const auto end = reinterpret_cast<std::uintptr_t>(address) + bytes;
    std::vector<void*> pages;
    for (std::uintptr_t page = first; page < end; page += page_bytes) {
        pages.push_back(reinterpret_cast<void*>(page));  // NOLINT(performance-no-int-to-ptr): the system call takes it
    }
    nodes.assign(pages.size(), 0);
    const long result = syscall(SYS_move_pages, 0, pages.size(), pages.data(), nullptr, nodes.data(), 0);
    return result < 0 ? errno : 0;
}
#else
inline int set_thread_memory_policy(int, const std::vector<unsigned>&) noexcept {
    return ENOSYS;
}
inline int bind_memory(const void*, std::size_t, MemoryPolicy, unsigned) noexcept {
    return ENOSYS;
}
inline int get_thread_memory_policy(int&, std::vector<unsigned>&) {
    return ENOSYS;
}
inline int query_page_nodes(const void*, std::size_t, std::vector<int>&) {
    return ENOSYS;
}
#endif

}  // namespace lowlat
