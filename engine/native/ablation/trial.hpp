// One measurement of a piece in one of two variants: all its operations between two readings of the clock and the
// counters, or each of them between two reads of the clock.
#pragma once

#include <cstdint>

#include "engine/native/bench/measured_call.hpp"
#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

/// `with`: the variant that lowlat uses. `latencies`: null for no clock between the operations.
struct Trial {
    bool with;
    std::uint64_t operations;
    std::uint64_t seed;
    TickScale ns;
    Histogram* latencies;
};

/// Call `operation(n)` for each n; with a clock around each if there are latencies to record.
template <typename Operation>
void repeat_operations(const Trial& trial, Operation operation) {
    if (trial.latencies == nullptr) {
        for (std::uint64_t at = 0; at < trial.operations; ++at) operation(at);
        return;
    }
    for (std::uint64_t at = 0; at < trial.operations; ++at) {
        const std::uint64_t start = ticks_begin();
        operation(at);
        trial.latencies->record(trial.ns(ticks_end() - start));
    }
}

/// The same, as a pass. What the operations need is prepared before.
template <typename Operation>
Pass measured_operations(const Trial& trial, Operation operation) {
    return measured_call(trial.operations, [&] {
        repeat_operations(trial, operation);
        return std::uint64_t{0};
    });
}

/// Keeps the compiler from dropping what computed the value.
template <typename Value>
LOWLAT_INLINE void use(const Value& value) {
    asm volatile("" : : "r"(value) : "memory");
}

/// A stream of numbers below a bound, the same for both variants: SplitMix64 (G. Steele et al., "Fast splittable
/// pseudorandom number generators", OOPSLA 2014).
class Draw {
  public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}

    std::uint32_t below(std::uint32_t bound) {
        std::uint64_t mixed = state_ += 0x9E37'79B9'7F4A'7C15;
        mixed = (mixed ^ mixed >> 30) * 0xBF58'476D'1CE4'E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D0'49BB'1331'11EB;
        return static_cast<std::uint32_t>(((mixed >> 32) * bound) >> 32);
    }

  private:
    std::uint64_t state_;
};

}  // namespace lowlat
