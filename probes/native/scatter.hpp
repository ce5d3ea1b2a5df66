// Numbers that prefetchers cannot predict, and that are the same each time.
#pragma once

#include <cstdint>

namespace lowlat {

// Marsaglia's xorshift: any sequence that prefetchers cannot predict would do.
class Scatter {
  public:
    std::uint64_t operator()() noexcept {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    // From 0 to `limit` - 1, for limits below 2^32; by multiplication, since a division takes longer than a cache miss
    // that it would wait for.
    std::uint64_t below(std::uint64_t limit) noexcept { return ((*this)() >> 32) * limit >> 32; }

  private:
    std::uint64_t state_ = 0x9E3779B97F4A7C15u;
};

}  // namespace lowlat
