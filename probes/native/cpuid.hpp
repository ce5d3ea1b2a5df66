// CPUID with the maximum leaf of each range checked first: an Intel processor answers a leaf above the
// maximum with the data of another one.
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

#if defined(__x86_64__)
namespace detail {

inline CpuidRegisters cpuid_unchecked(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
    CpuidRegisters r;
    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
}

inline constexpr std::uint32_t hypervisor_range = 0x40000000u;
inline constexpr std::uint32_t extended_range = 0x80000000u;
inline constexpr std::uint32_t hypervisor_present = std::uint32_t{1} << 31;  // leaf 1, ECX

}  // namespace detail

// Nothing where the processor, or the hypervisor, does not define the leaf.
inline std::optional<CpuidRegisters> cpuid(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
    const std::uint32_t range = leaf & 0xC0000000u;
    if (range == detail::hypervisor_range) {
        // Without a hypervisor the range is undefined; with one, the first leaf names the highest.
        if ((detail::cpuid_unchecked(1, 0).ecx & detail::hypervisor_present) == 0) return std::nullopt;
    } else if (range != 0 && range != detail::extended_range) {
        return std::nullopt;
    }
    const std::uint32_t highest = detail::cpuid_unchecked(range, 0).eax;
    if (leaf > highest) return std::nullopt;
    return detail::cpuid_unchecked(leaf, subleaf);
}
#else
inline std::optional<CpuidRegisters> cpuid(std::uint32_t, std::uint32_t) noexcept {
    return std::nullopt;
}
#endif

}  // namespace lowlat
