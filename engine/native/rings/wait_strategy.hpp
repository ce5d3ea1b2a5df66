// What to do while a ring is full or empty.
#pragma once

#include <cstdint>
#include <thread>

#include "engine/native/platform/compiler.hpp"
#include "engine/native/rings/records.hpp"

namespace lowlat {

/// Tells the processor that this is a loop which waits: it frees a sibling thread and does not speculate ahead.
LOWLAT_INLINE void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");  // unlike `yield`, which does nothing on most, it takes some tens of cycles
#endif
}

/// The pauses between two looks at a ring.
class Backoff {
  public:
    explicit Backoff(WaitStrategy wait) : wait_(wait) {}

    /// A little while; false when the policy is not to wait.
    LOWLAT_INLINE bool pause() {
        if (wait_ == WaitStrategy::fail) return false;
        ++rounds_;
        if (wait_ == WaitStrategy::spin || fruitless_ < spins_before_yield) {
            ++fruitless_;
            relax();
        } else {
            std::this_thread::yield();
        }
        return true;
    }

    /// There was something: the next wait starts with spinning.
    void progress() { fruitless_ = 0; }

    /// Each time as many pauses have gone by as make looking at a clock cheap.
    bool time_to_look() const { return rounds_ % rounds_between_looks == 0; }

  private:
    // Some microseconds: a hand-over between two running threads takes less; more would be a time slice wasted.
    static constexpr std::uint32_t spins_before_yield = 128;
    static constexpr std::uint32_t rounds_between_looks = 64;

    WaitStrategy wait_;
    std::uint32_t rounds_ = 0;
    std::uint32_t fruitless_ = 0;
};

/// While `go_on()` says so, waits by policy until all `count` records are pushed; how many were. Fewer also when the
/// policy is to fail, or the ring is closed.
template <typename Ring, typename GoOn>
std::uint64_t push_waiting(Ring& ring, const typename Ring::record_type* records, std::uint64_t count,
                           WaitStrategy wait, GoOn go_on) {
    Backoff backoff(wait);
    std::uint64_t done = ring.try_push(records, count);
    while (done != count && !ring.closed() && backoff.pause()) {
        if (backoff.time_to_look() && !go_on()) break;
        const std::uint64_t more = ring.try_push(records + done, count - done);
        if (more != 0) backoff.progress();
        done += more;
    }
    return done;
}

template <typename Ring>
std::uint64_t push_waiting(Ring& ring, const typename Ring::record_type* records, std::uint64_t count,
                           WaitStrategy wait) {
    return push_waiting(ring, records, count, wait, [] { return true; });
}

/// While `go_on()` says so, waits by policy until there is a record, then takes up to `count`; how many it took. None
/// also when the policy is to fail, or the ring is closed and empty.
template <typename Ring, typename GoOn>
std::uint64_t pop_waiting(Ring& ring, typename Ring::record_type* records, std::uint64_t count, WaitStrategy wait,
                          GoOn go_on) {
    Backoff backoff(wait);
    std::uint64_t taken = ring.try_pop(records, count);
    while (taken == 0 && count != 0 && !ring.finished() && backoff.pause()) {
        if (backoff.time_to_look() && !go_on()) break;
        taken = ring.try_pop(records, count);
    }
    return taken;
}

template <typename Ring>
std::uint64_t pop_waiting(Ring& ring, typename Ring::record_type* records, std::uint64_t count, WaitStrategy wait) {
    return pop_waiting(ring, records, count, wait, [] { return true; });
}

}  // namespace lowlat
