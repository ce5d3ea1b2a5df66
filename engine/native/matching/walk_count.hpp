// Counts the steps of walks that only look, to tell when an index of the book costs less than they did.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lowlat {

class WalkCount {
  public:
    /// Count one walk over orders or levels. A short one is as good as a search in the index.
    void count(std::uint64_t steps) {
        if (steps > short_walk) steps_ += steps;
    }

    /// Whether the walks have cost enough to look how large the book is.
    bool excessive() const { return steps_ >= allowed_; }

    /// Whether they cost more than building an index over this many orders. If not, allow that many steps, and so many
    /// more that the next look at the size of the book is paid for too.
    bool worth(std::uint64_t orders) {
        if (steps_ >= std::max(steps_per_order * orders, allowed_at_first)) return true;
        allowed_ = std::max({steps_per_order * orders, steps_ + orders, allowed_at_first});
        return false;
    }

    void index_used() { unused_for_ = 0; }

    /// Count one more command. Whether the index has not been used for more commands than it has orders.
    bool index_idles(std::uint64_t orders) { return ++unused_for_ > orders + allowed_at_first; }

  private:
#if defined(LOWLAT_CHECKED)  // so that the small books of fuzzing have an index too
    static constexpr std::uint64_t short_walk = 1;
    static constexpr std::uint64_t allowed_at_first = 6;
#else
    static constexpr std::uint64_t short_walk = 64;
    static constexpr std::uint64_t allowed_at_first = 1'024;
#endif

    static constexpr std::uint64_t steps_per_order = 4;  // building takes about as long as so many

    std::uint64_t steps_ = 0;
    std::uint64_t allowed_ = allowed_at_first;
    std::uint64_t unused_for_ = 0;  // commands
};

}  // namespace lowlat
