// How a thread waits for what another one hands over: it looks again and again, lets others run between two looks, or
// sleeps until it is woken.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "engine/native/ablation/trial.hpp"
#include "engine/native/ablation/two_threads.hpp"
#include "engine/native/rings/ring_layout.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace lowlat {

/// Counts rounds: one thread's turn in each direction.
struct Rally {
    alignas(ring_lane) RingIndex there{0};
    alignas(ring_lane) RingIndex back{0};
};

/// As WaitStrategy::spin does.
struct SpinWait {
    static void until(const RingIndex& index, std::uint64_t round) {
        // Acquire: pairs with pass_on(); what the other thread wrote before is seen.
        while (index.load(std::memory_order_acquire) != round) relax();
    }
    static void pass_on(RingIndex& index, std::uint64_t round) { index.store(round, std::memory_order_release); }
};

/// As WaitStrategy::yield does.
struct YieldWait {
    static void until(const RingIndex& index, std::uint64_t round) {
        Backoff backoff(WaitStrategy::yield);
        while (index.load(std::memory_order_acquire) != round) backoff.pause();
    }
    static void pass_on(RingIndex& index, std::uint64_t round) { index.store(round, std::memory_order_release); }
};

/// In the kernel, on a futex: at once, where std::atomic::wait would look for a while before.
struct BlockingWait {
    static void until(const RingIndex& index, std::uint64_t round) {
        std::uint64_t seen = index.load(std::memory_order_acquire);
        while (seen != round) {
            sleep_while(index, seen);
            seen = index.load(std::memory_order_acquire);
        }
    }
    static void pass_on(RingIndex& index, std::uint64_t round) {
        index.store(round, std::memory_order_release);
        wake(index);
    }

  private:
#if defined(__linux__)
    /// A futex has 32 bits: the low ones, which every round changes.
    static const std::uint32_t* futex_of(const RingIndex& index) {
        const auto* halves = reinterpret_cast<const std::uint32_t*>(&index);
        return halves + (std::endian::native == std::endian::little ? 0 : 1);
    }
    static void sleep_while(const RingIndex& index, std::uint64_t seen) {
        syscall(SYS_futex, futex_of(index), FUTEX_WAIT_PRIVATE, static_cast<std::uint32_t>(seen), nullptr, nullptr, 0);
    }
    static void wake(RingIndex& index) {
        syscall(SYS_futex, futex_of(index), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
#else
    static void sleep_while(const RingIndex& index, std::uint64_t seen) { index.wait(seen, std::memory_order_acquire); }
    static void wake(RingIndex& index) { index.notify_one(); }
#endif
};

/// Each operation is a round: there and back.
template <typename Wait>
Pass rally(const Trial& trial, unsigned other_cpu) {
    Rally indices;
    const auto answer = [&] {
        for (std::uint64_t round = 1; round <= trial.operations; ++round) {
            Wait::until(indices.there, round);
            Wait::pass_on(indices.back, round);
        }
    };
    const auto serve = [&](std::uint64_t round) {
        Wait::pass_on(indices.there, round);
        Wait::until(indices.back, round);
    };
    return measured_beside(trial, other_cpu, answer,
                           [&] { repeat_operations(trial, [&](std::uint64_t at) { serve(at + 1); }); });
}

template <typename Wait>
Pass measure_wait(const Trial& trial, unsigned other_cpu) {
    return trial.with ? rally<Wait>(trial, other_cpu) : rally<BlockingWait>(trial, other_cpu);
}

}  // namespace lowlat
