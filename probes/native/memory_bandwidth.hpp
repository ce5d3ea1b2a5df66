// How many bytes a second threads read, write or copy, each in memory of its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "probes/native/clock_fit.hpp"
#include "probes/native/cpu_threads.hpp"

namespace lowlat {

enum class MemoryWork : int { read = 0, write = 1, copy = 2 };

// The memory of the thread on a CPU.
struct ThreadMemory {
    unsigned cpu;
    std::byte* start;
    std::size_t bytes;
};

struct ThreadBandwidth {
    std::vector<double> ns_of_mebibyte;  // of each block, in the order measured; a copied byte is one read, one written
    CpuThreadErrors errors;
};

namespace detail {

using Vector [[gnu::vector_size(16), gnu::may_alias]] = std::uint64_t;
inline constexpr std::size_t vectors_of_line = 4;
inline constexpr std::size_t stretch_bytes = std::size_t{64} * 1024;
inline constexpr std::size_t block_stretches = 16;  // timed as one: 50 us or more

// The empty assembly keeps the compiler from dropping the loads, and from calling memset and memcpy, which choose their
// instructions by the size.
inline void read_stretch(const Vector* from, std::size_t vectors) noexcept {
    Vector sums[vectors_of_line] = {};
    for (std::size_t at = 0; at < vectors; at += vectors_of_line)
        for (std::size_t each = 0; each < vectors_of_line; ++each) sums[each] ^= from[at + each];
    const Vector sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
    asm volatile("" ::"m"(sum));
}

inline void write_stretch(Vector* to, std::size_t vectors) noexcept {
    const Vector value = {1, 2};
    for (std::size_t at = 0; at < vectors; at += vectors_of_line) {
        for (std::size_t each = 0; each < vectors_of_line; ++each) to[at + each] = value;
        asm volatile("" ::: "memory");
    }
}

inline void copy_stretch(Vector* to, const Vector* from, std::size_t vectors) noexcept {
    for (std::size_t at = 0; at < vectors; at += vectors_of_line) {
        for (std::size_t each = 0; each < vectors_of_line; ++each) to[at + each] = from[at + each];
        asm volatile("" ::: "memory");
    }
}

// Goes through memory, stretch after stretch and from the start again.
class Pass {
  public:
    Pass(const ThreadMemory& memory, MemoryWork work) noexcept
        : start_(reinterpret_cast<Vector*>(memory.start)),
          end_(memory.bytes / (work == MemoryWork::copy ? 2 : 1) / stretch_bytes * vectors),
          work_(work) {}

    // Returns the bytes read and written; 0 if the memory has no room for a stretch.
    std::size_t stretch() noexcept {
        if (end_ == 0) return 0;
        if (work_ == MemoryWork::read) read_stretch(start_ + at_, vectors);
        if (work_ == MemoryWork::write) write_stretch(start_ + at_, vectors);
        if (work_ == MemoryWork::copy) copy_stretch(start_ + end_ + at_, start_ + at_, vectors);
        at_ = at_ + vectors == end_ ? 0 : at_ + vectors;
        return work_ == MemoryWork::copy ? 2 * stretch_bytes : stretch_bytes;
    }

  private:
    static constexpr std::size_t vectors = stretch_bytes / sizeof(Vector);
    Vector* start_;
    std::size_t end_;
    MemoryWork work_;
    std::size_t at_ = 0;
};

}  // namespace detail

// All threads at once, for `duration_ns` from the moment when the last of them runs. The calling thread waits.
//
// Work is timed in short blocks: a block that an interrupt or another program hit is long, and the median of the blocks
// does not see it.
inline std::vector<ThreadBandwidth> measure_bandwidth(const std::vector<ThreadMemory>& memory, MemoryWork work,
                                                      std::int64_t duration_ns) {
    constexpr double mebibyte = 1024.0 * 1024.0;
    std::vector<unsigned> cpus;
    cpus.reserve(memory.size());
    for (const ThreadMemory& each : memory) cpus.push_back(each.cpu);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> waiting{memory.size()};
    const auto run = [&](unsigned cpu) {
        ThreadBandwidth found;
        const auto own = std::find_if(memory.begin(), memory.end(), [&](const auto& each) { return each.cpu == cpu; });
        detail::Pass pass(*own, work);
        waiting.fetch_sub(1, std::memory_order_acq_rel);
        while (waiting.load(std::memory_order_acquire) != 0 && !stop.load(std::memory_order_relaxed))
            static_cast<void>(pass.stretch());  // preheats, and does not sleep
        const std::int64_t begin_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
        for (std::int64_t now_ns = begin_ns; now_ns - begin_ns < duration_ns;) {
            if (stop.load(std::memory_order_relaxed)) break;
            std::size_t bytes = 0;
            for (std::size_t at = 0; at < detail::block_stretches; ++at) bytes += pass.stretch();
            const std::int64_t end_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
            if (bytes == 0) break;
            found.ns_of_mebibyte.push_back(static_cast<double>(end_ns - now_ns) * mebibyte /
                                           static_cast<double>(bytes));
            now_ns = end_ns;
        }
        return found;
    };
    return on_each_cpu<ThreadBandwidth>(cpus, 0, stop, run, [] { return true; });
}

}  // namespace lowlat
