// Commands on their way from one thread to another: through lowlat's ring, or a queue under a mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/ablation/two_threads.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/rings/mpsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace lowlat {

inline constexpr std::uint64_t hand_over_capacity = 1U << 12;

/// The ring for many producers, in memory of its own.
class RingOfCommands {
  public:
    bool try_push(const Command& command) { return ring_.try_push(command); }
    bool try_pop(Command& command) { return ring_.try_pop(command); }

  private:
    using Ring = MpscRing<Command>;

    static void* formatted(LockedRegion& region) {
        void* block = region.take<std::byte>(Ring::bytes_for(hand_over_capacity));
        Ring::format(block, hand_over_capacity);
        return block;
    }

    LockedRegion region_{LockedRegion::room_for<std::byte>(Ring::bytes_for(hand_over_capacity))};
    Ring ring_{formatted(region_), hand_over_capacity};
};

/// The same operations on an array of the same length, with a lock around it.
class MutexQueue {
  public:
    bool try_push(const Command& command) {
        const std::lock_guard held(mutex_);
        if (pushed_ - popped_ == hand_over_capacity) return false;
        commands_[pushed_++ % hand_over_capacity] = command;
        return true;
    }

    bool try_pop(Command& command) {
        const std::lock_guard held(mutex_);
        if (pushed_ == popped_) return false;
        command = commands_[popped_++ % hand_over_capacity];
        return true;
    }

  private:
    std::mutex mutex_;
    std::unique_ptr<Command[]> commands_ = std::make_unique<Command[]>(hand_over_capacity);
    std::uint64_t pushed_ = 0;
    std::uint64_t popped_ = 0;
};

/// One thread pushes commands, one by one, and the other pops them; both wait as a pipeline's threads do.
template <typename Queue>
Pass hand_over(const Trial& trial, unsigned other_cpu) {
    Queue queue;
    const auto push = [&] {
        Command command{};
        Backoff backoff(WaitStrategy::yield);
        for (std::uint64_t at = 0; at < trial.operations; ++at) {
            command.order_id = at;
            while (!queue.try_push(command)) backoff.pause();
            backoff.progress();
        }
    };
    const auto pop = [&] {
        Command command{};
        Backoff backoff(WaitStrategy::yield);
        for (std::uint64_t at = 0; at < trial.operations; ++at) {
            while (!queue.try_pop(command)) backoff.pause();
            backoff.progress();
            use(command.order_id);
        }
    };
    return measured_beside(trial, other_cpu, push, pop);
}

inline Pass measure_hand_over(const Trial& trial, unsigned other_cpu) {
    return trial.with ? hand_over<RingOfCommands>(trial, other_cpu) : hand_over<MutexQueue>(trial, other_cpu);
}

}  // namespace lowlat
