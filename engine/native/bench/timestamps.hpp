// The timestamps of a pass at intended start times. The loop only writes them down; the latencies are recorded after
// the pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "engine/native/bench/latencies.hpp"
#include "engine/native/bench/open_loop.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// When a command started and ended, in ticks of the counter, and its outcome.
struct Timestamp {
    std::uint64_t start;
    std::uint64_t end : 61;  // the counter needs 24 years for 2^61 ticks at 3 GHz
    std::uint64_t operation : 3;
};
static_assert(sizeof(Timestamp) == 16);
static_assert(operations <= 8, "the outcome has three bits");

/// A timestamp for each command, in memory that is touched before the pass and written in order.
class Timestamps {
  public:
    explicit Timestamps(std::uint64_t capacity)
        : capacity_(capacity),
          memory_(LockedRegion::room_for<Timestamp>(checked(capacity))),
          taken_(memory_.take<Timestamp>(capacity)) {}

    std::uint64_t capacity() const { return capacity_; }
    const LockedRegion& memory() const { return memory_; }

    LOWLAT_INLINE void keep(std::uint64_t at, const Timing& timing, Operation operation) {
        taken_[at] = {
            .start = timing.start, .end = timing.end, .operation = static_cast<std::uint64_t>(operation) & 7U};
    }

    /// Record the latencies of the first `count` commands, which were due `planned` ticks after `begin`, and the
    /// longest time between the two timestamps of a command. A measure that is logged has been recorded during the
    /// pass.
    void record(std::uint64_t begin, const std::uint64_t* planned, std::uint64_t count, const TickScale& ns,
                Latencies& latencies) const {
        Recording response = latencies.recording(Measure::response);
        Recording service = latencies.recording(Measure::service);
        Recording scheduling_delay = latencies.recording(Measure::scheduling_delay);
        const bool response_kept = response.is_logged();
        for (std::uint64_t at = 0; at < count; ++at) {
            const Timestamp& taken = taken_[at];
            const auto operation = static_cast<Operation>(taken.operation);
            const Timing timing{begin + planned[at], taken.start, taken.end};
            if (!response_kept) response.record(operation, {.ns = ns(timing.response()), .end_ticks = timing.end});
            service.record(operation, {.ns = ns(timing.service()), .end_ticks = timing.end});
            scheduling_delay.record(operation, {.ns = ns(timing.scheduling_delay()), .end_ticks = timing.end});
            latencies.gap_max_ticks = std::max(latencies.gap_max_ticks, timing.service());
        }
    }

  private:
    static std::size_t checked(std::uint64_t capacity) {
        if (capacity > (std::uint64_t{1} << 48)) throw std::bad_alloc();
        return capacity;
    }

    std::uint64_t capacity_;
    LockedRegion memory_;
    Timestamp* taken_;
};

}  // namespace lowlat
