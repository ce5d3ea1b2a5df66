// The processor's counter without the time in which the thread waited for its CPU: whatever is planned and measured
// with it stands still meanwhile, the queue of commands included. What the thread itself takes, however long, counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// `Counter`: where the time comes from. `Waits`: what the scheduler says, as `RunqueueWait` does.
template <typename Counter, typename Waits>
class OnCpuCounter {
  public:
    /// After a longer time between two reads, the scheduler is asked. A shorter wait counts as the thread's own time,
    /// or is taken out of the next longer one.
    static constexpr std::uint64_t asks_after_ns = 20'000;

    /// `ns`: of the counter's ticks.
    OnCpuCounter(Counter counter, const Waits& waits, const TickScale& ns)
        : counter_(counter),
          waits_(&waits),
          ns_(ns),
          known_ns_(waits.ns()),
          asks_after_(known_ns_ ? ticks_of(asks_after_ns) : never),
          last_(counter_.begin()) {}

    LOWLAT_INLINE std::uint64_t between() { return without_waits(counter_.between()); }
    LOWLAT_INLINE std::uint64_t begin() { return without_waits(counter_.begin()); }

    /// How long it stood still; nothing where the scheduler does not tell, and it never does.
    std::optional<std::uint64_t> stood_still_ns() const {
        return known_ns_ ? std::optional(ns_(stood_still_)) : std::nullopt;
    }

  private:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    LOWLAT_INLINE std::uint64_t without_waits(std::uint64_t now) {
        const std::uint64_t gap = now - last_;
        last_ = now;
        if (unlikely(gap > asks_after_)) stand_still(gap);
        return now - stood_still_;
    }

    [[gnu::noinline]] void stand_still(std::uint64_t gap) {
        const std::optional<std::uint64_t> waited_ns = waits_->ns();
        if (!waited_ns) return;
        stood_still_ += std::min(gap, ticks_of(*waited_ns - known_ns_.value_or(*waited_ns)));
        known_ns_ = waited_ns;
    }

    std::uint64_t ticks_of(std::uint64_t time_ns) const {
        return static_cast<std::uint64_t>((static_cast<detail::Wide>(time_ns) << ns_.shift) / ns_.multiplier);
    }

    Counter counter_;
    const Waits* waits_;
    TickScale ns_;
    std::optional<std::uint64_t> known_ns_;  // waited so far, by the scheduler
    std::uint64_t asks_after_;
    std::uint64_t stood_still_ = 0;
    std::uint64_t last_;
};

}  // namespace lowlat
