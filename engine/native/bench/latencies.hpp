// The latencies of a pass, by what was measured and by what the command turned out to do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"
#include "reports/native/histogram.hpp"
#include "reports/native/interval_histograms.hpp"

namespace lowlat {

/// What a command turned out to do: latencies are told apart by this.
enum class Operation : std::uint8_t { add, take, cancel, reduce, replace, reject };
inline constexpr std::size_t operations = 6;
inline constexpr std::array<const char*, operations> operation_names = {"add",    "take",    "cancel",
                                                                        "reduce", "replace", "reject"};

/// The name of what the last command did, from the last event it gave and whether it traded.
LOWLAT_INLINE Operation operation_of(CommandType kind, ExecType last, bool traded) {
    if (unlikely(last == ExecType::rejected)) return Operation::reject;
    switch (kind) {
        case CommandType::cancel:
            return Operation::cancel;
        case CommandType::reduce:
            return Operation::reduce;
        case CommandType::replace:
            return Operation::replace;
        default:
            return traded ? Operation::take : Operation::add;
    }
}

/// From where to where. response: from the planned start; service: from the actual start; slip: from the one to the
/// other. The stages of the order path are queued (sent to taken by the matcher), matched, and published (until readers
/// of the book see it).
enum class Measure : std::uint8_t { response, service, slip, queued, matched, published };
inline constexpr std::size_t measures = 6;
inline constexpr std::array<const char*, measures> measure_names = {"response",     "service",       "slip",
                                                                    "stage:queued", "stage:matched", "stage:published"};

using ByOperation = std::array<Histogram, operations>;

/// How long something took, and when it ended.
struct Span {
    std::uint64_t ns;
    std::uint64_t end_ticks;
};

/// Where a thread records one measure: its histograms, or, while it is logged, those of the interval that is running.
class Recording {
  public:
    Recording(ByOperation& of, IntervalHistograms* intervals) : of_(&of), intervals_(intervals) {}

    void start(std::uint64_t now_ticks) {
        if (intervals_ != nullptr) intervals_->start(now_ticks);
    }
    LOWLAT_INLINE void record(Operation operation, Span span) {
        const auto at = static_cast<std::size_t>(operation);
        if (likely(intervals_ == nullptr)) {
            (*of_)[at].record(span.ns);
        } else {
            intervals_->active(at).record(span.ns);
            intervals_->tick(span.end_ticks);
        }
    }
    void finish(std::uint64_t now_ticks) {
        if (intervals_ != nullptr) intervals_->finish(now_ticks);
    }

  private:
    ByOperation* of_;
    IntervalHistograms* intervals_;
};

/// Histograms in nanoseconds, of the measures that are asked for, and what the stamps themselves showed.
class Latencies {
  public:
    explicit Latencies(const std::vector<Measure>& kept) : kept_(kept), of_(kept.size()) {}
    Latencies(const Latencies&) = delete;
    Latencies& operator=(const Latencies&) = delete;

    /// The histograms of a measure, which is one of those asked for.
    ByOperation& of(Measure measure) {
        std::size_t at = 0;
        while (kept_.at(at) != measure) ++at;
        return of_[at];
    }

    /// From now on a measure is recorded into the histograms of intervals, one an operation, instead of its own.
    void log(Measure measure, IntervalHistograms& intervals) {
        logged_ = measure;
        intervals_ = &intervals;
    }

    Recording recording(Measure measure) { return {of(measure), measure == logged_ ? intervals_ : nullptr}; }

    std::uint64_t gap_max_ticks = 0;  // longest time from one stamp's end to the next: no service is longer

  private:
    std::vector<Measure> kept_;
    std::vector<ByOperation> of_;
    Measure logged_{};
    IntervalHistograms* intervals_ = nullptr;
};

}  // namespace lowlat
