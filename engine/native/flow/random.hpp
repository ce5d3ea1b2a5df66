// Random integers, the same on every machine: no floating point, no library distributions.
#pragma once

#include <bit>
#include <cstdint>

namespace lowlat {

/// xoshiro256** 1.0 (D. Blackman and S. Vigna, public domain), seeded by splitmix64 as its authors recommend.
class Random {
  public:
    explicit Random(std::uint64_t seed) {
        for (std::uint64_t& word : state_) {
            std::uint64_t z = (seed += 0x9E37'79B9'7F4A'7C15);
            z = (z ^ z >> 30) * 0xBF58'476D'1CE4'E5B9;
            z = (z ^ z >> 27) * 0x94D0'49BB'1331'11EB;
            word = z ^ z >> 31;
        }
    }

    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// 0 to `limit` - 1, uniform within `limit` / 2^32.
    std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>((next() >> 32) * limit >> 32); }

    bool coin() { return (next() >> 63) != 0; }

    /// Probability halves every `half_life`: 1/2 in [0, half_life), 1/4 in the next interval of that size, and so on.
    std::uint32_t halving(std::uint32_t half_life) {
        const auto halves = static_cast<std::uint32_t>(std::countr_zero(next() | std::uint64_t{1} << 16));
        return halves * half_life + below(half_life);
    }

  private:
    std::uint64_t state_[4];
};

}  // namespace lowlat
