// How fast a CPU really runs: cycles per tick of its counter, from a chain of additions that each wait for the last.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"

namespace lowlat {

struct CoreSpeed {
    double cycles_per_tick = 0.0;  // median over slices; 0 where there is no such measurement
    std::uint64_t slices = 0;
};

namespace detail {

inline constexpr std::uint64_t chain_additions = 16;
inline constexpr std::uint64_t chain_rounds = 1'000;  // a slice takes some microseconds: few meet an interrupt

// Each addition takes one cycle, on every x86-64 and aarch64 core, since it needs the sum before it. A register is
// added: recent cores add constants while renaming, in no time.
[[gnu::always_inline]] inline void chained_additions(std::uint64_t& sum, std::uint64_t term) noexcept {
#if defined(__x86_64__)
#define LOWLAT_ADD4 "addq %1, %0\n\taddq %1, %0\n\taddq %1, %0\n\taddq %1, %0\n\t"
    asm volatile(LOWLAT_ADD4 LOWLAT_ADD4 LOWLAT_ADD4 LOWLAT_ADD4 : "+r"(sum) : "r"(term) : "cc");
#undef LOWLAT_ADD4
#elif defined(__aarch64__)
#define LOWLAT_ADD4 "add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\t"
    asm volatile(LOWLAT_ADD4 LOWLAT_ADD4 LOWLAT_ADD4 LOWLAT_ADD4 : "+r"(sum) : "r"(term));
#undef LOWLAT_ADD4
#else
    static_cast<void>(sum);
    static_cast<void>(term);
#endif
}

inline constexpr bool can_chain_additions =
#if defined(__x86_64__) || defined(__aarch64__)
    true;
#else
    false;
#endif

}  // namespace detail

inline constexpr std::size_t slices_wanted = 16;
inline constexpr std::int64_t patience = 4;  // in durations, where others take the CPU

// Spins on the calling thread's CPU for `duration_ns`, or longer if it gets little of the CPU. The first half brings
// the core out of its sleep and up to its frequency; later slices count. A slice that was interrupted does not move the
// median.
inline CoreSpeed measure_core_speed(std::int64_t duration_ns) {
    CoreSpeed speed;
    if (!detail::can_chain_additions) return speed;
    std::vector<std::uint64_t> slices;
    const std::int64_t start_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
    std::uint64_t sum = 0;
    std::int64_t passed_ns = 0;
    do {
        const std::uint64_t begin = ticks_begin();
        for (std::uint64_t round = 0; round < detail::chain_rounds; ++round) detail::chained_additions(sum, begin);
        const std::uint64_t taken = ticks_end() - begin;
        if (passed_ns >= duration_ns / 2) slices.push_back(taken);
        passed_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) - start_ns;
    } while (passed_ns < duration_ns || (slices.size() < slices_wanted && passed_ns < patience * duration_ns) ||
             slices.empty());
    const auto middle = slices.begin() + static_cast<std::ptrdiff_t>(slices.size() / 2);
    std::nth_element(slices.begin(), middle, slices.end());
    speed.slices = slices.size();
    if (*middle != 0)
        speed.cycles_per_tick =
            static_cast<double>(detail::chain_additions * detail::chain_rounds) / static_cast<double>(*middle);
    return speed;
}

}  // namespace lowlat
