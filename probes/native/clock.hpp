// The processor's own counter, and the exact conversion of its ticks to nanoseconds. Header only.
//
// x86-64: RDTSC and RDTSCP. aarch64: CNTVCT_EL0. Elsewhere: clock_gettime(CLOCK_MONOTONIC_RAW);
// clock_source() reports it, since such a read costs more and must not be mistaken for a hardware counter.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ctime>
#endif

namespace lowlat {

// The name in reports of what ticks() reads.
[[gnu::always_inline]] inline const char* clock_source() noexcept {
#if defined(__x86_64__)
    return "rdtsc";
#elif defined(__aarch64__)
    return "cntvct_el0";
#else
    return "clock_gettime(CLOCK_MONOTONIC_RAW)";
#endif
}

// True if ticks() reads a register, false if it calls the operating system.
inline constexpr bool clock_is_hardware =
#if defined(__x86_64__) || defined(__aarch64__)
    true;
#else
    false;
#endif

// Reads the counter unordered: the processor may reorder the read with neighboring instructions.
// The cheapest read; fine for intervals that are long compared with the out-of-order window, some tens of ns.
[[gnu::always_inline]] inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    std::uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (std::uint64_t{high} << 32) | low;
#elif defined(__aarch64__)
    std::uint64_t value;
    asm volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

// The start of a measured section: earlier instructions have finished before the read, and none of the
// section starts before it. Intel SDM vol. 2B, RDTSC: LFENCE before the read, and LFENCE after it. AMD
// processors dispatch-serialize LFENCE likewise once Linux has set DE_CFG[1], which it does on every boot.
// aarch64: ISB on both sides, since the architecture lets a counter read be taken early (Arm ARM, "Generic
// Timer", reads of the counter registers).
[[gnu::always_inline]] inline std::uint64_t ticks_begin() noexcept {
#if defined(__x86_64__)
    std::uint32_t low, high;
    asm volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (std::uint64_t{high} << 32) | low;
#elif defined(__aarch64__)
    std::uint64_t value;
    asm volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(value)::"memory");
    return value;
#else
    return ticks();
#endif
}

// The end of a measured section: all of the section has executed and its loads are done before the read, and
// nothing later starts before it. Intel SDM vol. 2B, RDTSCP: it waits for earlier instructions by itself;
// LFENCE after it holds back later ones. Stores may still be on their way to the cache, as everywhere.
[[gnu::always_inline]] inline std::uint64_t ticks_end() noexcept {
#if defined(__x86_64__)
    std::uint32_t low, high, processor;
    asm volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high), "=c"(processor)::"memory");
    return (std::uint64_t{high} << 32) | low;
#else
    return ticks_begin();
#endif
}

// The border between two measured sections, the end of one and the start of the next: all of the first has executed
// before the read. Instructions of the second may start while the counter is being read, so that its time can lack up
// to the cost of a read; the two times add up to the whole. About a fifth cheaper than ticks_end().
[[gnu::always_inline]] inline std::uint64_t ticks_between() noexcept {
#if defined(__x86_64__)
    std::uint32_t low, high, processor;
    asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor)::"memory");
    return (std::uint64_t{high} << 32) | low;
#elif defined(__aarch64__)
    std::uint64_t value;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
#else
    return ticks();
#endif
}

namespace detail {
__extension__ using Wide = unsigned __int128;
}

// Ticks to nanoseconds (or back) as (value * multiplier) >> shift on 128 bits.
//
// The multiplier has its top bit set, so it is off by at most half a unit in 2^63: the result is the exact
// quotient rounded down, or one less or more, whenever it fits 64 bits, which nanoseconds do for 584 years.
// The product cannot overflow 128 bits.
struct TickScale {
    std::uint64_t multiplier = 0;
    unsigned shift = 0;

    [[nodiscard, gnu::always_inline]] constexpr std::uint64_t operator()(std::uint64_t value) const noexcept {
        return static_cast<std::uint64_t>((static_cast<detail::Wide>(value) * multiplier) >> shift);
    }
};

namespace detail {

// numerator / denominator * 2^binary_exponent. Numerator and denominator are below 2^63; neither is zero.
struct Ratio {
    std::uint64_t numerator;
    std::uint64_t denominator;
    int binary_exponent;
};

// round(numerator * 2^shift / denominator) with the shift that gives the multiplier exactly 64 bits.
constexpr TickScale scale_of_ratio(const Ratio& ratio) {
    const auto [numerator, denominator, binary_exponent] = ratio;
    // Long division, one bit at a time: quotient bits until 64 are significant, plus one to round by.
    std::uint64_t quotient = numerator / denominator;
    std::uint64_t remainder = numerator % denominator;
    int shift = 0;
    while (quotient < (std::uint64_t{1} << 63)) {
        remainder <<= 1;
        quotient = (quotient << 1) | (remainder >= denominator ? 1u : 0u);
        if (remainder >= denominator) remainder -= denominator;
        ++shift;
    }
    const bool round_up = (remainder << 1) >= denominator;
    if (round_up && quotient != std::numeric_limits<std::uint64_t>::max()) ++quotient;
    return {quotient, static_cast<unsigned>(shift - binary_exponent)};
}
}  // namespace detail

// The slowest and fastest counter that can be scaled: 1 kHz and 1 THz.
inline constexpr double frequency_min_hz = 1e3;
inline constexpr double frequency_max_hz = 1e12;

// Ticks of a counter of `frequency_hz` to nanoseconds. Uses every bit of the double.
// Precondition: frequency_min_hz <= frequency_hz <= frequency_max_hz.
inline TickScale ns_of_ticks(double frequency_hz) noexcept {
    int exponent = 0;
    const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(frequency_hz, &exponent), 53));
    return detail::scale_of_ratio(
        {.numerator = 1'000'000'000u, .denominator = mantissa, .binary_exponent = -(exponent - 53)});
}

// Nanoseconds to ticks of a counter of `frequency_hz`: converts intended start times to deadlines in ticks.
inline TickScale ticks_of_ns(double frequency_hz) noexcept {
    int exponent = 0;
    const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(frequency_hz, &exponent), 53));
    return detail::scale_of_ratio(
        {.numerator = mantissa, .denominator = 1'000'000'000u, .binary_exponent = exponent - 53});
}

}  // namespace lowlat
