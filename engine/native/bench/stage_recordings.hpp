// The measures of a pipeline's commands, as its publisher records them, and what measuring costs each thread.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/native/bench/latencies.hpp"
#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// Where the stages of a command are recorded and, if commands have intended start times, the response and the
/// scheduling delay.
class StageRecordings {
  public:
    StageRecordings(Latencies& latencies, bool paced)
        : service_(latencies.recording(Measure::service)),
          queued_(latencies.recording(Measure::queued)),
          matched_(latencies.recording(Measure::matched)),
          published_(latencies.recording(Measure::published)) {
        if (paced)
            planned_ = Planned{latencies.recording(Measure::response), latencies.recording(Measure::scheduling_delay)};
    }

    /// The one that may be logged.
    Recording& first() { return planned_ ? planned_->response : service_; }

    /// A command that readers could see `now`; its timestamps are in order.
    LOWLAT_INLINE void record(const MarketData& update, std::uint64_t now, const TickScale& ns) {
        const Operation operation = update.operation;
        queued_.record(operation, {.ns = ns(update.taken - update.sent), .end_ticks = now});
        matched_.record(operation, {.ns = ns(update.matched - update.taken), .end_ticks = now});
        published_.record(operation, {.ns = ns(now - update.matched), .end_ticks = now});
        service_.record(operation, {.ns = ns(now - update.sent), .end_ticks = now});
        if (!planned_) return;
        planned_->response.record(operation, {.ns = ns(now - update.due), .end_ticks = now});
        planned_->scheduling_delay.record(operation, {.ns = ns(update.sent - update.due), .end_ticks = now});
    }

  private:
    struct Planned {
        Recording response;
        Recording scheduling_delay;
    };

    Recording service_;
    Recording queued_;
    Recording matched_;
    Recording published_;
    std::optional<Planned> planned_;
};

/// What a producer does to measure, without the work itself: reads the clock until a command is due, which it is.
inline void produce_nothing(std::uint64_t count) {
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t sent = ticks_begin();
        asm volatile("" : : "r"(sent) : "memory");
    }
}

/// What the matcher does to measure, without the work itself: a timestamp before each command, and one after it.
inline void match_nothing(std::uint64_t count) {
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t taken = ticks_begin();
        asm volatile("" : : "r"(taken) : "memory");
        const std::uint64_t matched = ticks_end();
        asm volatile("" : : "r"(matched) : "memory");
    }
}

/// What the publisher does to measure, without the work itself: records each command; it reads the clock once for many.
inline void publish_nothing(std::uint64_t count, Latencies& latencies) {
    const TickScale ns = ns_of_ticks(1e9);
    StageRecordings to(latencies, true);
    MarketData update{};
    for (std::uint64_t at = 0; at < count; ++at) {
        update.due = at;
        update.sent = at + 1;
        update.taken = at + 2;
        update.matched = at + 3;
        asm volatile("" : "+m"(update));
        to.record(update, at + 4, ns);
    }
}

}  // namespace lowlat
