// How a thread waits for what another one hands over: it looks again and again, or sleeps until it is woken.
#pragma once

#include <atomic>
#include <cstdint>

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

/// In the kernel, on a futex.
struct BlockingWait {
    static void until(const RingIndex& index, std::uint64_t round) {
        std::uint64_t seen = index.load(std::memory_order_acquire);
        while (seen != round) {
            index.wait(seen, std::memory_order_acquire);
            seen = index.load(std::memory_order_acquire);
        }
    }
    static void pass_on(RingIndex& index, std::uint64_t round) {
        index.store(round, std::memory_order_release);
        index.notify_one();
    }
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

inline Pass measure_consumer_wait(const Trial& trial, unsigned other_cpu) {
    return trial.with ? rally<SpinWait>(trial, other_cpu) : rally<BlockingWait>(trial, other_cpu);
}

}  // namespace lowlat
