// CPUID that first checks the maximum leaf of each range: for a leaf above the maximum, an Intel processor returns the
// data of another leaf.
#pragma once

#include <cstdint>
#include <optional>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lowlat {

struct CpuidRegisters {
    std::uint32_t eax = 0;
    std::uint32_t ebx = 0;
    std::uint32_t ecx = 0;
    std::uint32_t edx = 0;
};

// The leaf and subleaf to query.
struct CpuidLeaf {
    std::uint32_t leaf;
    std::uint32_t subleaf;
};

#if defined(__x86_64__)
namespace detail {

inline CpuidRegisters cpuid_unchecked(CpuidLeaf asked) noexcept {
    CpuidRegisters r;
    __cpuid_count(asked.leaf, asked.subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
}

inline constexpr std::uint32_t hypervisor_range = 0x40000000u;
inline constexpr std::uint32_t extended_range = 0x80000000u;
inline constexpr std::uint32_t hypervisor_present = std::uint32_t{1} << 31;  // leaf 1, ECX

}  // namespace detail

// Empty if the processor or the hypervisor does not define the leaf.
inline std::optional<CpuidRegisters> cpuid(CpuidLeaf asked) noexcept {
    const std::uint32_t range = asked.leaf & 0xC0000000u;
    if (range == detail::hypervisor_range) {
        // Without a hypervisor the range is undefined; with one, the first leaf holds the highest leaf.
        if ((detail::cpuid_unchecked({.leaf = 1, .subleaf = 0}).ecx & detail::hypervisor_present) == 0)
            return std::nullopt;
    } else if (range != 0 && range != detail::extended_range) {
        return std::nullopt;
    }
    const std::uint32_t highest = detail::cpuid_unchecked({.leaf = range, .subleaf = 0}).eax;
    if (asked.leaf > highest) return std::nullopt;
    return detail::cpuid_unchecked(asked);
}
#else
inline std::optional<CpuidRegisters> cpuid(CpuidLeaf) noexcept {
    return std::nullopt;
}
#endif

}  // namespace lowlat
