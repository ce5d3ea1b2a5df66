// Commands at planned times, whether or not the engine keeps up: what waits behind a slow one is late, and is measured
// from the time it was due. A loop that starts the next command when the last has ended never sees that.
#pragma once

#include <cstdint>

#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// Ticks of the clock at which a command was due, was started, and had ended.
struct Timing {
    std::uint64_t due;
    std::uint64_t start;
    std::uint64_t end;

    std::uint64_t response() const { return end - due; }
    std::uint64_t service() const { return end - start; }
    std::uint64_t slip() const { return start - due; }
};

/// The counter of the processor. Waiting is looking at it again and again: a pause instruction would make starts late
/// by some tens of nanoseconds.
struct CounterClock {
    LOWLAT_INLINE std::uint64_t now() const { return ticks_end(); }
    LOWLAT_INLINE std::uint64_t wait_until(std::uint64_t due) const {
        std::uint64_t now = ticks_begin();
        while (now < due) now = ticks_begin();
        return now;
    }
};

/// `planned`: ticks after `begin`, ascending. Calls `execute(n)`, then `record(n, Timing)`, for each in turn. A
/// template over the clock, so that a test can run the same loop in a time of its own.
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
