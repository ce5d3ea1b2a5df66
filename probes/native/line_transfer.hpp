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
    std::int64_t limit_ns;  // of everything, once both threads run
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

// Sends `rounds` numbers after `round`, and returns the last.
inline std::uint64_t send_rounds(TransferLines& lines, std::uint64_t round, std::uint64_t rounds) noexcept {
    for (const std::uint64_t end = round + rounds; round != end;) {
        lines.call.store(++round, std::memory_order_release);
        Patience patience;
        while (lines.answer.load(std::memory_order_acquire) != round) patience.wait();
    }
    return round;
}

inline void time_transfers(TransferLines& lines, const TransferPlan& plan, LineTransfer& found) noexcept {
    if (const int error = pin_this_thread(plan.first_cpu)) lines.error.store(error, std::memory_order_relaxed);
    while (!lines.ready.load(std::memory_order_acquire)) std::this_thread::yield();
    const std::int64_t begin_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
    const auto before = [&](std::int64_t limit_ns) {
        return lines.error.load(std::memory_order_relaxed) == 0 &&
               read_clock_ns(CLOCK_MONOTONIC_RAW) - begin_ns < limit_ns;
    };
    std::uint64_t round = 0;
    while (before(plan.preheat_ns)) round = send_rounds(lines, round, plan.rounds);
    while (found.one_way_ticks.size() < plan.blocks && before(plan.limit_ns)) {
        const std::uint64_t start = ticks_begin();
        round = send_rounds(lines, round, plan.rounds);
        const auto taken = static_cast<double>(ticks_end() - start);
        found.one_way_ticks.push_back(taken / (2.0 * static_cast<double>(plan.rounds)));  // room is reserved
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
