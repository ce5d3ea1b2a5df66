// Commands at planned times, whether or not the engine keeps up: commands queued behind a slow one are late, and are
// measured from their due time. A closed loop never sees that.
#pragma once

#include <cstdint>

#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// Clock ticks at which a command was due, started and ended.
struct Timing {
    std::uint64_t due;
    std::uint64_t start;
    std::uint64_t end;

    std::uint64_t response() const { return end - due; }
    std::uint64_t service() const { return end - start; }
    std::uint64_t slip() const { return start - due; }
};

/// The processor's counter. Waiting polls it without a pause instruction, which would delay starts by tens of
/// nanoseconds.
struct CounterClock {
    LOWLAT_INLINE std::uint64_t now() const { return ticks_end(); }
    LOWLAT_INLINE std::uint64_t wait_until(std::uint64_t due) const {
        std::uint64_t now = ticks_begin();
        while (now < due) now = ticks_begin();
        return now;
    }
};

/// `planned`: ticks after `begin`, ascending. Calls `execute(n)`, then `record(n, Timing)`, for each in order. A
/// template over the clock, so that a test can run the same loop with a simulated clock.
template <typename Clock, typename Execute, typename Record>
LOWLAT_INLINE void run_open(Clock& clock, std::uint64_t begin, const std::uint64_t* planned, std::uint64_t count,
                            Execute execute, Record record) {
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t due = begin + planned[at];
        const std::uint64_t start = clock.wait_until(due);
        execute(at);
        record(at, Timing{due, start, clock.now()});
    }
}

}  // namespace lowlat
