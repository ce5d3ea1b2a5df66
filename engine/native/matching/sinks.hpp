// Event sinks, chosen at compile time: the matcher writes directly to the address that a sink provides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Size of the event ring in records, which stay in cache: each is written in full, then overwritten.
inline constexpr std::uint64_t ring_events = 1024;

/// A ring: every event is written in full, and the last `mask + 1` can be read.
class RingSink {
  public:
    RingSink(Event* ring, std::uint64_t mask) : ring_(ring), mask_(mask) {}
    LOWLAT_INLINE Event& next() { return ring_[count_++ & mask_]; }
    /// The latest event; valid after any command.
    LOWLAT_INLINE const Event& last() const { return ring_[(count_ - 1) & mask_]; }
    std::uint64_t count() const { return count_; }
    /// Where the count is, for who watches it grow.
    const std::uint64_t* progress() const { return &count_; }
    /// Calls `use` with each event from number `first` on that the ring still holds.
    template <typename Use>
    LOWLAT_INLINE void for_each_since(std::uint64_t first, Use use) const {
        const std::uint64_t oldest = count_ - std::min(count_, mask_ + 1);
        for (std::uint64_t at = std::max(first, oldest); at < count_; ++at) use(ring_[at & mask_]);
    }

  private:
    Event* ring_;
    std::uint64_t mask_;
    std::uint64_t count_ = 0;
};

/// The events in a ring of `size` after `count` events, oldest first.
inline std::vector<Event> last_events(const Event* ring, std::uint64_t size, std::uint64_t count) {
    std::vector<Event> last;
    last.reserve(std::min(count, size));
    for (std::uint64_t at = count - std::min(count, size); at < count; ++at) last.push_back(ring[at % size]);
    return last;
}

}  // namespace lowlat
