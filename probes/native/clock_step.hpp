// The resolution of the counter.
//
// The smallest difference between two reads is not the resolution: on a fine counter it is the cost of a read, and it
// is 1 on processors that return the first value plus one for a second read within one step. So reads are spaced
// irregularly, and the step is the period of their differences.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "probes/native/clock.hpp"

namespace lowlat {

struct CounterStep {
    double step_ticks = 0.0;                // period of the differences; 1 if none is distinct
    double concentration = 0.0;             // 1: every difference is a multiple of the step
    std::uint64_t smallest_difference = 0;  // ticks, not counting zero, of reads back to back
    std::uint64_t repeats = 0;              // reads back to back with the same value
    std::uint64_t backward = 0;             // reads back to back where the later one is smaller
};

namespace detail {

inline constexpr std::uint64_t longest_difference = 512;  // ticks; longer ones were interrupted
inline constexpr int longest_step = 128;                  // a quarter of it, so that four periods fit
inline constexpr double concentrated = 0.9;
using DifferenceCounts = std::array<std::uint32_t, longest_difference>;

// |mean of exp(2 pi i d / period)|: 1 when all differences are multiples of the period, near 0 when spread.
inline double concentration(const DifferenceCounts& counts, double period) noexcept {
    double real = 0.0;
    double imaginary = 0.0;
    double total = 0.0;
    for (std::size_t d = 0; d < counts.size(); ++d) {
        if (counts[d] == 0) continue;
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(d) / period;
        real += counts[d] * std::cos(angle);
        imaginary += counts[d] * std::sin(angle);
        total += counts[d];
    }
    return total > 0.0 ? std::hypot(real, imaginary) / total : 0.0;
}

// A dependent chain of `length` additions that the compiler must keep.
inline void idle(std::uint64_t length) noexcept {
    for (std::uint64_t i = 0; i < length; ++i) asm volatile("" : "+r"(i));
}

// The longest period with concentrated differences; every divisor of it concentrates them too.
inline void find_step(const DifferenceCounts& counts, CounterStep& step) noexcept {
    step.step_ticks = 1.0;
    step.concentration = 1.0;
    for (int halves = 2 * longest_step; halves >= 4; --halves) {
        const double period = halves / 2.0;
        const double found = concentration(counts, period);
        if (found < concentrated) continue;
        step.step_ticks = period;
        step.concentration = found;
        for (int hundredths = -100; hundredths <= 100; ++hundredths) {
            const double near = period + hundredths / 100.0;
            const double value = concentration(counts, near);
            if (value > step.concentration) {
                step.step_ticks = near;
                step.concentration = value;
            }
        }
        return;
    }
}

}  // namespace detail

namespace detail {

inline void read_back_to_back(std::uint64_t reads, CounterStep& step) noexcept {
    step.smallest_difference = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t before = ticks();
    for (std::uint64_t i = 0; i < reads; ++i) {
        const std::uint64_t after = ticks();
        if (after < before) {
            ++step.backward;
        } else if (after == before) {
            ++step.repeats;
        } else {
            step.smallest_difference = std::min(step.smallest_difference, after - before);
        }
        before = after;
    }
}

inline DifferenceCounts read_spaced(std::uint64_t reads) noexcept {
    constexpr std::uint64_t longest_idle = 199;  // loop turns: about as many cycles
    constexpr std::uint64_t stride_bytes = 83;   // coprime to it, so that every length occurs, out of order
    DifferenceCounts counts{};
    for (std::uint64_t i = 0; i < reads; ++i) {
        const std::uint64_t before = ticks_begin();
        idle(i * stride_bytes % longest_idle);
        const std::uint64_t difference = ticks_begin() - before;
        if (difference < longest_difference) ++counts[difference];
    }
    return counts;
}

}  // namespace detail

inline CounterStep measure_counter_step(std::uint64_t reads) noexcept {
    CounterStep step;
    detail::read_back_to_back(reads, step);
    detail::find_step(detail::read_spaced(reads), step);
    return step;
}

}  // namespace lowlat
