// A 64-bit hash over a stream of events, cheap enough to run beside the matcher. Compares two streams.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Streams that differ in any bit, or in the order of their events, collide with a probability of about 2^-63. Uses
/// four independent lanes for instruction-level parallelism. Not cryptographic: it detects errors, not forgery.
class EventHash {
  public:
    /// `event`: the bytes of one event, at any alignment.
    LOWLAT_INLINE void add(const void* event) {
        std::uint64_t words[8];
        static_assert(sizeof words == sizeof(Event));
        std::memcpy(words, event, sizeof words);
        for (int lane = 0; lane < 4; ++lane) lanes_[lane] = mix(lanes_[lane] ^ words[lane], words[lane + 4] ^ odd);
    }

    std::uint64_t value() const {
        std::uint64_t all = 0;
        for (const std::uint64_t lane : lanes_) all = (std::rotl(all, 23) ^ lane ^ (lane >> 32)) * odd;
        return all ^ (all >> 29);
    }

  private:
    /// Folds both halves of the product, so that each bit of either factor affects all bits, as in the wyhash family.
    static LOWLAT_INLINE std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
        const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    // 2^64 / golden ratio: odd, so that multiplication is invertible, and with well-mixed bits.
    static constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15;

    std::uint64_t lanes_[4] = {1, 2, 3, 4};
};

}  // namespace lowlat
