// Commands at intended start times, whether or not the engine keeps up: commands queued behind a slow one are late, and
// are measured from their due time. A closed loop never sees that.
//
// The loop takes one ordered timestamp per command. While it is behind, the end of a command is the start of the next:
// nothing happens between the two except the loop's own bookkeeping, which the service time of the later one includes.
// Only a loop that has to wait reads the clock again, and then it has time.
#pragma once

#include <algorithm>
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
    std::uint64_t scheduling_delay() const { return start - due; }
};

/// Where a clock reads the time: the processor's counter.
struct ProcessorCounter {
    LOWLAT_INLINE static std::uint64_t between() { return ticks_between(); }
    LOWLAT_INLINE static std::uint64_t begin() { return ticks_begin(); }
};

/// The clock of a loop. Waiting polls it without a pause instruction, which would delay starts by tens of nanoseconds.
template <typename Counter = ProcessorCounter>
class CounterClock {
  public:
    explicit CounterClock(Counter counter = {}) : counter_(counter) {}

    LOWLAT_INLINE std::uint64_t now() { return last_ = counter_.between(); }
    /// Call now() before.
    LOWLAT_INLINE std::uint64_t wait_until(std::uint64_t due) {
        do {
            const std::uint64_t before = last_;
            last_ = counter_.begin();
            gap_max_ticks_ = std::max(gap_max_ticks_, last_ - before);
        } while (last_ < due);
        return last_;
    }
    /// Longest time between two reads while waiting.
    std::uint64_t gap_max_ticks() const { return gap_max_ticks_; }
    const Counter& counter() const { return counter_; }

  private:
    Counter counter_;
    std::uint64_t last_ = 0;  // the latest read
    std::uint64_t gap_max_ticks_ = 0;
};

/// `planned`: ticks after `begin`, ascending. Calls `execute(n)`, then `record(n, Timing)`, for each in order. A
/// template over the clock, so that a test can run the same loop with a simulated clock.
template <typename Clock, typename Execute, typename Record>
LOWLAT_INLINE void run_open(Clock& clock, std::uint64_t begin, const std::uint64_t* planned, std::uint64_t count,
                            Execute execute, Record record) {
    std::uint64_t last_end = begin;
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t due = begin + planned[at];
        const std::uint64_t start = last_end >= due ? last_end : clock.wait_until(due);
        execute(at);
        last_end = clock.now();
        record(at, Timing{due, start, last_end});
    }
}

}  // namespace lowlat
