// The cache line size as measured on this processor, not as reported.
//
// Flush granule: touch p + d, flush the line of p, time p + d. The load is slow while d is inside the line. Timing
// p + d after touching p does not work: prefetchers fetch the next line too, which gives 128.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/scatter.hpp"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace lowlat {

inline constexpr bool can_flush_lines =
#if defined(__x86_64__)
    true;
#else
    false;
#endif

namespace detail {

inline constexpr std::size_t page_size_bytes = 4096;

// Whole pages of memory, each mapped and written, so that no two share a physical page.
class Pages {
  public:
    explicit Pages(std::size_t count)
        : count_(count),
          memory_(static_cast<std::byte*>(::operator new(count* page_size_bytes, std::align_val_t{page_size_bytes}))) {
        std::memset(memory_.get(), 1, count * page_size_bytes);
    }
    [[nodiscard]] std::byte* page(std::size_t index) const noexcept {
        return memory_.get() + (index % count_) * page_size_bytes;
    }

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept {
            ::operator delete(memory, std::align_val_t{page_size_bytes});
        }
    };
    std::size_t count_;
    std::unique_ptr<std::byte, Free> memory_;
};

inline void load(const std::byte* p) noexcept {
    static_cast<void>(*reinterpret_cast<const volatile unsigned char*>(p));
}

inline std::uint64_t time_load(const std::byte* p) noexcept {
    const std::uint64_t start = ticks_begin();
    load(p);
    return ticks_end() - start;
}

inline void flush_line(const std::byte* p) noexcept {
#if defined(__x86_64__)
    _mm_clflush(p);
#else
    static_cast<void>(p);
#endif
}

inline void wait_for_memory() noexcept {
#if defined(__x86_64__)
    _mm_mfence();
#endif
}

inline std::uint64_t median(std::vector<std::uint64_t>& values) noexcept {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace detail

struct FlushTimes {
    std::vector<std::uint64_t> distances;     // bytes between the flushed and the timed address
    std::vector<std::uint64_t> median_ticks;  // of the timed load, one for each distance
    std::uint64_t hit_ticks = 0;              // of a load that was just touched
    std::uint64_t miss_ticks = 0;             // of a load that was just flushed
};

// Distances are powers of two up to `longest_distance`, visited in random order on random pages.
inline FlushTimes measure_flush_times(std::size_t samples) {
    constexpr std::size_t longest_distance = 1024;
    constexpr std::size_t page_count = 256;
    FlushTimes times;
    if (!can_flush_lines) return times;
    for (std::uint64_t d = 8; d <= longest_distance; d *= 2) times.distances.push_back(d);

    const detail::Pages pages(page_count);
    Scatter scatter;
    std::vector<std::vector<std::uint64_t>> loads(times.distances.size());
    std::vector<std::uint64_t> hits;
    std::vector<std::uint64_t> misses;
    for (std::size_t i = 0; i < samples * times.distances.size(); ++i) {
        const std::size_t which = scatter() % times.distances.size();
        // Aligned beyond the longest distance, so that p starts a line of any size.
        const std::byte* p = pages.page(scatter()) + scatter() % 2 * 2 * longest_distance;
        const std::byte* q = p + times.distances[which];
        detail::load(q);
        detail::flush_line(p);
        detail::wait_for_memory();
        loads[which].push_back(detail::time_load(q));
        hits.push_back(detail::time_load(q));
        detail::flush_line(q);
        detail::wait_for_memory();
        misses.push_back(detail::time_load(q));
    }
    for (auto& values : loads) times.median_ticks.push_back(values.empty() ? 0 : detail::median(values));
    times.hit_ticks = detail::median(hits);
    times.miss_ticks = detail::median(misses);
    return times;
}

// How often a neighbor of an accessed line is in the cache a moment later, from 0 to 1. Field names hold the line's
// position in its aligned 128-byte pair, and the neighbor.
struct PrefetchRates {
    double lower_half_previous = 0.0;
    double lower_half_next = 0.0;
    double upper_half_previous = 0.0;
    double upper_half_next = 0.0;
};

// The prefetch test: a load that takes less than `limit_ticks` hit the cache.
struct PrefetchTrial {
    std::size_t line_bytes;
    std::uint64_t limit_ticks;
    std::size_t samples;
};

inline PrefetchRates measure_prefetch_rates(const PrefetchTrial& trial) {
    const auto [line_bytes, limit_ticks, samples] = trial;
    constexpr std::size_t page_count = 1024;
    constexpr int wait_reads = 40;  // reads of the counter: about a microsecond, several times a memory access
    const detail::Pages pages(page_count);
    Scatter scatter;
    PrefetchRates rates;
    double* const cells[] = {&rates.lower_half_previous, &rates.lower_half_next, &rates.upper_half_previous,
                             &rates.upper_half_next};
    std::size_t tries[4] = {};
    std::size_t found[4] = {};
    const std::size_t pairs_in_page = detail::page_size_bytes / (2 * line_bytes);
    for (std::size_t i = 0; i < samples * 4; ++i) {
        const std::size_t which = scatter() % 4;
        const bool upper = which >= 2;
        // Not the first or last pair: prefetchers stop at the end of a page.
        const std::size_t pair = 1 + scatter() % (pairs_in_page - 2);
        const std::byte* p = pages.page(scatter()) + (2 * pair + (upper ? 1 : 0)) * line_bytes;
        const std::byte* neighbor = which % 2 == 0 ? p - line_bytes : p + line_bytes;
        for (const std::byte* line : {p - line_bytes, p, p + line_bytes}) detail::flush_line(line);
        detail::wait_for_memory();
        detail::load(p);
        for (int wait = 0; wait < wait_reads; ++wait) static_cast<void>(ticks_begin());
        ++tries[which];
        if (detail::time_load(neighbor) < limit_ticks) ++found[which];
    }
    for (std::size_t c = 0; c < 4; ++c) {
        *cells[c] = tries[c] == 0 ? 0.0 : static_cast<double>(found[c]) / static_cast<double>(tries[c]);
    }
    return rates;
}

// The smallest data cache line that the processor reports; 0 if it has no register for it.
inline std::uint64_t line_bytes_of_register() noexcept {
#if defined(__aarch64__) && defined(__linux__)
    std::uint64_t ctr = 0;
    asm volatile("mrs %0, ctr_el0" : "=r"(ctr));
    return std::uint64_t{4} << (ctr >> 16 & 0xF);  // Arm ARM, CTR_EL0.DminLine: log2 of words of 4 bytes
#else
    return 0;
#endif
}

// The value of `getconf LEVEL1_DCACHE_LINESIZE`; none if the C library does not know the name.
inline std::optional<long> line_bytes_of_libc() noexcept {
#if defined(_SC_LEVEL1_DCACHE_LINESIZE)
    return sysconf(_SC_LEVEL1_DCACHE_LINESIZE);
#else
    return std::nullopt;
#endif
}

}  // namespace lowlat
