// Tracks which of up to 262,144 places are taken, in three layers of 64-bit words. Finding the next taken place costs
// at most three count-zeros instructions, whatever its distance.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class BitmapTree {
  public:
    static constexpr std::uint32_t none = 0xFFFF'FFFF;
    static constexpr std::uint32_t places_max = 64 * 64 * 64;

    BitmapTree() = default;

    /// Over `words(places)` zeroed words at `storage`; `places` is a power of two, 64 to `places_max`.
    BitmapTree(std::uint64_t* storage, std::uint32_t places) : bits_(storage), groups_(storage + places / 64) {}

    static constexpr std::uint32_t words(std::uint32_t places) { return places / 64 + (places + 4095) / 4096; }

    LOWLAT_INLINE void set(std::uint32_t place) {
        bits_[place >> 6] |= bit(place);
        groups_[place >> 12] |= bit(place >> 6);
        top_ |= bit(place >> 12);
    }

    LOWLAT_INLINE void clear(std::uint32_t place) {
        bits_[place >> 6] &= ~bit(place);
        if (bits_[place >> 6] != 0) return;
        groups_[place >> 12] &= ~bit(place >> 6);
        if (groups_[place >> 12] == 0) top_ &= ~bit(place >> 12);
    }

    /// The first taken place, or `none`.
    LOWLAT_INLINE std::uint32_t first() const { return top_ == 0 ? none : first_of_group(lowest(top_)); }

    /// The first taken place after `place`, or `none`.
    LOWLAT_INLINE std::uint32_t next(std::uint32_t place) const {
        const std::uint32_t word = place >> 6;
        const std::uint64_t here = bits_[word] & above(place);
        if (likely(here != 0)) return (word << 6) | lowest(here);
        const std::uint64_t near = groups_[word >> 6] & above(word);
        if (near != 0) return first_of_word((word & ~63U) | lowest(near));
        const std::uint64_t far = top_ & above(word >> 6);
        return far == 0 ? none : first_of_group(lowest(far));
    }

    /// The last taken place, or `none`.
    std::uint32_t last() const { return top_ == 0 ? none : last_of_group(highest(top_)); }

    /// The last taken place before `place`, or `none`.
    std::uint32_t previous(std::uint32_t place) const {
        const std::uint32_t word = place >> 6;
        const std::uint64_t here = bits_[word] & below(place);
        if (here != 0) return (word << 6) | highest(here);
        const std::uint64_t near = groups_[word >> 6] & below(word);
        if (near != 0) return last_of_word((word & ~63U) | highest(near));
        const std::uint64_t far = top_ & below(word >> 6);
        return far == 0 ? none : last_of_group(highest(far));
    }

    /// The word of a place, for prefetching.
    LOWLAT_INLINE const std::uint64_t* word_of(std::uint32_t place) const { return bits_ + (place >> 6); }

    bool test(std::uint32_t place) const { return (bits_[place >> 6] & bit(place)) != 0; }

  private:
    static constexpr std::uint64_t bit(std::uint32_t at) { return std::uint64_t{1} << (at & 63); }
    /// Mask of the bits above bit `at`. Two shifts, because a shift by 64 is undefined.
    static constexpr std::uint64_t above(std::uint32_t at) { return ~std::uint64_t{0} << (at & 63) << 1; }
    static constexpr std::uint64_t below(std::uint32_t at) { return bit(at) - 1; }
    static LOWLAT_INLINE std::uint32_t lowest(std::uint64_t word) {
        return static_cast<std::uint32_t>(std::countr_zero(word));
    }
    static LOWLAT_INLINE std::uint32_t highest(std::uint64_t word) {
        return static_cast<std::uint32_t>(std::bit_width(word)) - 1;
    }
    LOWLAT_INLINE std::uint32_t first_of_word(std::uint32_t word) const { return (word << 6) | lowest(bits_[word]); }
    LOWLAT_INLINE std::uint32_t first_of_group(std::uint32_t group) const {
        return first_of_word((group << 6) | lowest(groups_[group]));
    }
    std::uint32_t last_of_word(std::uint32_t word) const { return (word << 6) | highest(bits_[word]); }
    std::uint32_t last_of_group(std::uint32_t group) const {
        return last_of_word((group << 6) | highest(groups_[group]));
    }

    std::uint64_t* bits_ = nullptr;
    std::uint64_t* groups_ = nullptr;
    std::uint64_t top_ = 0;
};

}  // namespace lowlat
