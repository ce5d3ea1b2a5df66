// How long a cache line takes from one CPU to another: two pinned threads send a number back and forth.
//
// Each direction has a line of its own, written by one side only. A round is two one-way transfers, and the two cannot
// be told apart without a common clock, so that half a round is the figure. Rounds are timed in short blocks: a block
// that an interrupt or another program hit is long, and neither the minimum nor the median of the blocks sees it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/counter_skew.hpp"
#include "probes/native/thread_pin.hpp"
#include "probes/native/two_threads.hpp"

namespace lowlat {

struct LineTransfer {
    std::vector<double> one_way_ticks;  // of each block, in the order measured
    int error = 0;                      // errno with which a thread could not be started, pinned, or given memory
};

// Two CPUs, how long they exchange the lines before any is timed, and how much is timed.
struct TransferPlan {
    unsigned first_cpu;
    unsigned second_cpu;
    std::int64_t preheat_ns;
    std::int64_t limit_ns;  // of waiting for both threads to run, and then of everything
    std::size_t blocks;
    std::uint64_t rounds;  // of a block
};

namespace detail {

// 128 bytes apart, since x86 fetches lines in pairs.
struct TransferLines {
    alignas(128) std::atomic<std::uint64_t> call{0};    // round number, from the first thread
    alignas(128) std::atomic<std::uint64_t> answer{0};  // the same, from the second
    alignas(128) std::atomic<bool> stop{false};
    std::atomic<bool> ready{false};
    std::atomic<int> error{0};
};

// `stop` is on a line of its own that nobody writes meanwhile: the answering thread keeps it in its cache.
inline void answer_transfers(TransferLines& lines, unsigned cpu) noexcept {
    if (const int error = pin_this_thread(cpu)) lines.error.store(error, std::memory_order_relaxed);
    lines.ready.store(true, std::memory_order_release);
    std::uint64_t answered = 0;
    Patience patience;
    while (!lines.stop.load(std::memory_order_relaxed)) {
        const std::uint64_t round = lines.call.load(std::memory_order_acquire);
        if (round == answered) {
            patience.wait();
            continue;
        }
        patience.renew();
        lines.answer.store(round, std::memory_order_release);
        answered = round;
    }
}

// Sends numbers after `round`, to which it adds `rounds`. Returns false, and gives up, if it is not done at `end_ns`:
// it looks at the clock only while an answer is long in coming. NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
inline bool send_rounds(TransferLines& lines, std::uint64_t& round, std::uint64_t rounds,
                        std::int64_t end_ns) noexcept {
    constexpr std::uint32_t looks_per_clock = 1'024;
    std::uint32_t looks = 0;
    for (const std::uint64_t last = round + rounds; round != last;) {
        lines.call.store(++round, std::memory_order_release);
        Patience patience;
        while (lines.answer.load(std::memory_order_acquire) != round) {
            patience.wait();
            if (++looks % looks_per_clock == 0 && read_clock_ns(CLOCK_MONOTONIC_RAW) >= end_ns) return false;
        }
    }
    return true;
}

// Waits for the other thread, and then measures; each of the two takes the plan's limit at most.
inline void time_transfers(TransferLines& lines, const TransferPlan& plan, LineTransfer& found) noexcept {
    if (const int error = pin_this_thread(plan.first_cpu)) lines.error.store(error, std::memory_order_relaxed);
    const auto goes_on = [&](std::int64_t end_ns) {
        return lines.error.load(std::memory_order_relaxed) == 0 && read_clock_ns(CLOCK_MONOTONIC_RAW) < end_ns;
    };
    const std::int64_t ready_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) + plan.limit_ns;
    while (!lines.ready.load(std::memory_order_acquire) && goes_on(ready_ns)) std::this_thread::yield();

    const std::int64_t begin_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
    const std::int64_t end_ns = begin_ns + plan.limit_ns;
    std::uint64_t round = 0;
    bool answered = lines.ready.load(std::memory_order_acquire);
    while (answered && goes_on(begin_ns + plan.preheat_ns)) answered = send_rounds(lines, round, plan.rounds, end_ns);
    while (answered && found.one_way_ticks.size() < plan.blocks && goes_on(end_ns)) {
        const std::uint64_t start = ticks_begin();
        answered = send_rounds(lines, round, plan.rounds, end_ns);
        const auto taken = static_cast<double>(ticks_end() - start);
        if (answered) found.one_way_ticks.push_back(taken / (2.0 * static_cast<double>(plan.rounds)));  // has room
    }
    lines.stop.store(true, std::memory_order_relaxed);
}

}  // namespace detail

// The calling thread keeps its affinity.
inline LineTransfer measure_line_transfer(const TransferPlan& plan) {
    LineTransfer found;
    try {
        found.one_way_ticks.reserve(plan.blocks);
    } catch (const std::bad_alloc&) {
        found.error = ENOMEM;
        return found;
    }
    detail::TransferLines lines;
    const int refused = run_both([&] { detail::answer_transfers(lines, plan.second_cpu); },
                                 [&] { detail::time_transfers(lines, plan, found); }, [&] { lines.stop.store(true); });
    found.error = refused != 0 ? refused : lines.error.load(std::memory_order_relaxed);
    return found;
}

}  // namespace lowlat
