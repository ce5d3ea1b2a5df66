// How long a load takes that nothing can predict: a chain of pointers through memory, one in each cache line.
//
// Each load needs the one before it, and prefetchers find no pattern, so that the time of a load is its latency. The
// chain is one random cycle through all lines (Sattolo): it comes back to a line only after all others, and a set that
// is larger than a cache does not stay in it. A larger set extends the cycle of a smaller one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/scatter.hpp"

namespace lowlat {

// How much of a set is timed.
struct ChasePlan {
    std::int64_t duration_ns;
    std::size_t samples_min;  // also when the duration is over
    std::size_t samples_max;
};

class PointerChase {
  public:
    static constexpr std::size_t sample_loads = 8192;  // 10 us in the nearest cache, a millisecond in memory

    // Of memory that outlives it, is written only by it, and has room for `line_bytes` at least.
    PointerChase(std::byte* memory, std::size_t line_bytes) noexcept
        : memory_(memory), line_bytes_(line_bytes), at_(line(0)) {
        at_->next = at_;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return lines_ * line_bytes_; }

    // Adds lines up to this size, each at a random place: of all cycles, each is as likely as any other.
    void extend(std::size_t bytes) noexcept {
        for (const std::size_t end = bytes / line_bytes_; lines_ < end; ++lines_) {
            Line* before = line(scatter_.below(lines_));
            Line* added = line(lines_);
            added->next = before->next;
            before->next = added;
        }
    }

    // Ticks of a load, sample by sample. A first pass brings the set into the caches, as far as it fits.
    std::vector<double> measure(const ChasePlan& plan) {
        std::vector<double> found;
        found.reserve(plan.samples_max);
        sweep();
        run();
        const std::int64_t begin_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
        while (found.size() < plan.samples_max &&
               (found.size() < plan.samples_min || read_clock_ns(CLOCK_MONOTONIC_RAW) - begin_ns < plan.duration_ns)) {
            const std::uint64_t start = ticks_begin();
            run();
            found.push_back(static_cast<double>(ticks_end() - start) / sample_loads);
        }
        return found;
    }

  private:
    struct Line {
        Line* next;
    };
    static constexpr std::size_t unrolled = 32;
    static_assert(sample_loads % unrolled == 0);

    [[nodiscard]] Line* line(std::size_t index) const noexcept {
        return reinterpret_cast<Line*>(memory_ + index * line_bytes_);
    }
    // In the order of addresses, which prefetchers make fast.
    void sweep() const noexcept {
        for (std::size_t index = 0; index < lines_; ++index)
            static_cast<void>(*const_cast<Line* const volatile*>(&line(index)->next));
    }
    void run() noexcept {
        Line* at = at_;
        for (std::size_t done = 0; done < sample_loads; done += unrolled) {
#pragma GCC unroll 32
            for (std::size_t load = 0; load < unrolled; ++load) at = at->next;
        }
        at_ = at;
    }

    std::byte* memory_;
    std::size_t line_bytes_;
    std::size_t lines_ = 1;
    Line* at_;
    Scatter scatter_;
};

}  // namespace lowlat
