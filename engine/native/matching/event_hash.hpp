// A 64-bit hash over a stream of events, cheap enough to run beside the matcher: tells whether two streams are the
// same.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Two streams that differ in any bit, or in the order of their events, differ in it but for one in 2^63 or so. Four
/// lanes, which a processor works on at once. Not cryptographic: it is there against errors, not against forgery.
class EventHash {
  public:
    /// `event`: the bytes of one, wherever they lie.
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
    /// Both halves of the product: each bit of either factor reaches all of it, as in the wyhash family.
    static LOWLAT_INLINE std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
        const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    // 2^64 over the golden ratio: odd, so that multiplying loses nothing, with bits well mixed.
    static constexpr std::uint64_t odd = 0x9E37'79B9'7F4A'7C15;

    std::uint64_t lanes_[4] = {1, 2, 3, 4};
};

}  // namespace lowlat
