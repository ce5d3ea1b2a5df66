// How finely the counter counts.
//
// The smallest difference between two reads does not tell: it is the cost of a read on a fine counter, and 1
// on processors that answer a second read within one step with the first one's value plus one. So reads are
// spaced irregularly, and the step is the period on which their differences fall.
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
    double step_ticks = 0.0;                // period of the differences; 1 where none stands out
    double concentration = 0.0;             // 1: every difference is a multiple of the step
    std::uint64_t smallest_difference = 0;  // ticks, not counting zero
    std::uint64_t repeats = 0;              // successive reads with the same value
    std::uint64_t backward = 0;             // successive reads where the later one is smaller
    std::uint64_t reads = 0;
};

namespace detail {

inline constexpr std::uint64_t kLongestDifference = 512;  // ticks; longer ones were interrupted
inline constexpr double kLongestStep = 128.0;             // a quarter of it, so that four periods are seen
inline constexpr double kConcentrated = 0.9;
using DifferenceCounts = std::array<std::uint32_t, kLongestDifference>;

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

// The longest period on which the differences concentrate; every divisor of it concentrates too.
inline void find_step(const DifferenceCounts& counts, CounterStep& step) noexcept {
    step.step_ticks = 1.0;
    step.concentration = 1.0;
    for (double period = kLongestStep; period >= 2.0; period -= 0.5) {
        const double found = concentration(counts, period);
        if (found < kConcentrated) continue;
        step.step_ticks = period;
        step.concentration = found;
        for (double near = period - 1.0; near <= period + 1.0; near += 0.01) {
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

inline CounterStep measure_counter_step(std::uint64_t reads) {
    constexpr std::uint64_t kLongestIdle = 199;  // loop turns: about as many cycles
    constexpr std::uint64_t kStride = 83;        // coprime to it, so that every length occurs, out of order
    CounterStep step;
    step.reads = reads;
    step.smallest_difference = std::numeric_limits<std::uint64_t>::max();
    detail::DifferenceCounts counts{};
    for (std::uint64_t i = 0; i < reads; ++i) {
        const std::uint64_t before = ticks_begin();
        detail::idle(i * kStride % kLongestIdle);
        const std::uint64_t after = ticks_begin();
        const std::uint64_t difference = after - before;
        if (after < before) {
            ++step.backward;
        } else if (difference == 0) {
            ++step.repeats;
        } else {
            step.smallest_difference = std::min(step.smallest_difference, difference);
        }
        if (difference < detail::kLongestDifference) ++counts[difference];
    }
    detail::find_step(counts, step);
    return step;
}

}  // namespace lowlat
