// The latencies of a pass, by measure and by the command's outcome.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"
#include "reports/native/histogram.hpp"
#include "reports/native/interval_histograms.hpp"

namespace lowlat {

/// The outcome of a command, by which latencies are grouped.
enum class Operation : std::uint8_t { add, take, cancel, reduce, replace, reject };
inline constexpr std::size_t operations = 6;
inline constexpr std::array<const char*, operations> operation_names = {"add",    "take",    "cancel",
                                                                        "reduce", "replace", "reject"};

/// The outcome of the last command, from its last event and whether it traded.
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

/// The measured interval. response: from the intended start; service: from the actual start; scheduling_delay: from the
/// intended to the actual start. The stages of the order path are queued (from sending until the matcher takes it),
/// matched, and published (until readers of the book see it).
enum class Measure : std::uint8_t { response, service, scheduling_delay, queued, matched, published };
inline constexpr std::size_t measures = 6;
inline constexpr std::array<const char*, measures> measure_names = {"response",     "service",       "scheduling_delay",
                                                                    "stage:queued", "stage:matched", "stage:published"};

using ByOperation = std::array<Histogram, operations>;

/// How long something took, and when it ended.
struct Span {
    std::uint64_t ns;
    std::uint64_t end_ticks;
};

/// Where a thread records one measure: its histograms or, while it is logged, those of the current interval.
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
    bool is_logged() const { return intervals_ != nullptr; }

  private:
    ByOperation* of_;
    IntervalHistograms* intervals_;
};

/// Histograms of the requested measures, in nanoseconds, and checks of the timestamps themselves.
class Latencies {
  public:
    explicit Latencies(const std::vector<Measure>& kept) : kept_(kept), of_(kept.size()) {}
    Latencies(const Latencies&) = delete;
    Latencies& operator=(const Latencies&) = delete;

    /// The histograms of a requested measure.
    ByOperation& of(Measure measure) {
        std::size_t at = 0;
        while (kept_.at(at) != measure) ++at;
        return of_[at];
    }

    /// From now on, record a measure into interval histograms, one per operation, instead of its own.
    void log(Measure measure, IntervalHistograms& intervals) {
        logged_ = measure;
        intervals_ = &intervals;
    }

    Recording recording(Measure measure) { return {of(measure), measure == logged_ ? intervals_ : nullptr}; }

    std::uint64_t gap_max_ticks = 0;         // longest time between two timestamps of the measured thread
    std::optional<std::uint64_t> waited_ns;  // for a CPU, and left out of the latencies; nothing: they leave none out

  private:
    std::vector<Measure> kept_;
    std::vector<ByOperation> of_;
    Measure logged_{};
    IntervalHistograms* intervals_ = nullptr;
};

}  // namespace lowlat
