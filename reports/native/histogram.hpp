// A latency histogram in the bucket layout of HdrHistogram: 3 significant digits, 1 ns to 2^42 ns (73
// minutes).
//
// Values 0 to 2,047 have a bucket each; above that every doubling has 1,024 buckets, so a bucket is never
// wider than 1/1,024 of the values in it:
//
//     counts_ index   0 ........ 2047 | 2048 ..... 3071 | 3072 ..... 4095 | ... | 33,792 ... 34,815
//     value           0 ........ 2047 | 2048 ..... 4095 | 4096 ..... 8191 | ... | 2^42 .... 2^43 - 1
//     bucket width           1        |        2        |        4        | ... |       2^32
//
// The layout equals that of HdrHistogram(1, 2**42, 3) in the Python package `hdrhistogram`, and of every other
// HdrHistogram with the same arguments, so counts can be passed as one array.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>

namespace lowlat {

// One writer at a time; a reader must be the writer, or be ordered after its writes.
class Histogram {
  public:
    static constexpr int significant_digits = 3;
    static constexpr std::uint64_t lowest_ns = 1;
    static constexpr std::uint64_t highest_ns = std::uint64_t{1} << 42;
    // 2,048 is the power of two that separates 2 * 10^3 values at a resolution of 1.
    static constexpr int sub_bucket_bits = 11;
    static constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bucket_bits;
    static constexpr int half_bits = sub_bucket_bits - 1;
    static constexpr std::size_t doublings = 43 - sub_bucket_bits;  // from 2^11 until 2^43, the end of the array
    static constexpr std::size_t bucket_count = sub_buckets + (doublings << half_bits);
    static_assert(bucket_count == 34'816, "the array handed over must be as long as hdrhistogram's");

    // The only place that allocates. Every page is written here, so that recording does not fault.
    Histogram() : counts_(std::make_unique<Counts>()) { prefault(); }

    [[nodiscard]] static constexpr std::size_t index_of(std::uint64_t value) noexcept {
        const int shift = static_cast<int>(std::bit_width(value | (sub_buckets - 1))) - sub_bucket_bits;
        return (static_cast<std::size_t>(shift) << half_bits) + static_cast<std::size_t>(value >> shift);
    }

    // Records one value in nanoseconds. A value above highest_ns is counted separately, never put into a bucket.
    [[gnu::always_inline]] inline void record(std::uint64_t value) noexcept { record_n(value, 1); }

    [[gnu::always_inline]] inline void record_n(std::uint64_t value, std::uint64_t times) noexcept {
        if (value > highest_ns) [[unlikely]] {
            out_of_range_ += times;
            return;
        }
        counts_->at_index[index_of(value)] += times;
        total_ += times;
        // Rarely taken, hence well predicted; an unconditional store here would cost more than both branches.
        if (value < min_) [[unlikely]]
            min_ = value;
        if (value > max_) [[unlikely]]
            max_ = value;
    }

    void record_many(std::span<const std::uint64_t> values) noexcept {
        for (const std::uint64_t value : values) record(value);
    }

    // Adds every sample of `other`, including its out-of-range count. Adding an empty histogram changes nothing.
    void add(const Histogram& other) noexcept {
        for (std::size_t i = 0; i < bucket_count; ++i) counts_->at_index[i] += other.counts_->at_index[i];
        total_ += other.total_;
        out_of_range_ += other.out_of_range_;
        min_ = std::min(min_, other.min_);
        max_ = std::max(max_, other.max_);
    }

    void reset() noexcept {
        counts_->at_index.fill(0);
        total_ = out_of_range_ = max_ = 0;
        min_ = no_minimum;
    }

    // Writes one word of every page without changing it. For a process forked after the histogram was created: its
    // first write to each page would copy that page.
    void prefault() noexcept {
        constexpr std::size_t words_per_page = 4096 / sizeof(std::uint64_t);
        for (std::size_t i = 0; i < bucket_count; i += words_per_page) {
            volatile std::uint64_t& word = counts_->at_index[i];
            word = word;
        }
    }

    [[nodiscard]] std::span<const std::uint64_t, bucket_count> counts() const noexcept { return counts_->at_index; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t out_of_range() const noexcept { return out_of_range_; }
    // Exact, not rounded to a bucket; undefined for an empty histogram.
    [[nodiscard]] std::optional<std::uint64_t> min() const noexcept { return when_recorded(min_); }
    [[nodiscard]] std::optional<std::uint64_t> max() const noexcept { return when_recorded(max_); }

  private:
    static constexpr std::uint64_t no_minimum = std::numeric_limits<std::uint64_t>::max();

    struct alignas(64) Counts {
        std::array<std::uint64_t, bucket_count> at_index{};
    };

    [[nodiscard]] std::optional<std::uint64_t> when_recorded(std::uint64_t value) const noexcept {
        return total_ == 0 ? std::nullopt : std::optional{value};
    }

    std::unique_ptr<Counts> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t out_of_range_ = 0;
    std::uint64_t min_ = no_minimum;
    std::uint64_t max_ = 0;
};

static_assert(Histogram::index_of(0) == 0 && Histogram::index_of(2047) == 2047);
static_assert(Histogram::index_of(2048) == 2048 && Histogram::index_of(2049) == 2048);
static_assert(Histogram::index_of((std::uint64_t{1} << 43) - 1) == Histogram::bucket_count - 1);

}  // namespace lowlat
