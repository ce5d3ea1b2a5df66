// The latencies of a pass, by what was measured and by what the command turned out to do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/hints.hpp"
#include "engine/native/records.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

/// What a command turned out to do: latencies are told apart by this.
enum class Operation : std::uint8_t { add, take, cancel, reduce, replace, reject };
inline constexpr std::size_t operations = 6;
inline constexpr std::array<const char*, operations> operation_names = {"add",    "take",    "cancel",
                                                                        "reduce", "replace", "reject"};

/// The name of what the last command did, from the last event it gave and whether it traded.
LOWLAT_INLINE Operation operation_of(Kind kind, EventKind last, bool traded) {
    if (unlikely(last == EventKind::rejected)) return Operation::reject;
    switch (kind) {
        case Kind::cancel:
            return Operation::cancel;
        case Kind::reduce:
            return Operation::reduce;
        case Kind::replace:
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

/// Histograms in nanoseconds, of the measures that are asked for, and what the stamps themselves showed.
class Latencies {
  public:
    using ByOperation = std::array<Histogram, operations>;

    explicit Latencies(const std::vector<Measure>& kept) : kept_(kept), of_(kept.size()) {}
    Latencies(const Latencies&) = delete;
    Latencies& operator=(const Latencies&) = delete;

    /// The histograms of a measure, which is one of those asked for.
    ByOperation& of(Measure measure) {
        std::size_t at = 0;
        while (kept_.at(at) != measure) ++at;
        return of_[at];
    }

    std::uint64_t gap_max_ticks = 0;  // longest time from one stamp's end to the next: no service is longer

  private:
    std::vector<Measure> kept_;
    std::vector<ByOperation> of_;
};

LOWLAT_INLINE Histogram& at_operation(Latencies::ByOperation& of, Operation operation) {
    return of[static_cast<std::size_t>(operation)];
}

}  // namespace lowlat
