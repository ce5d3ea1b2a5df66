// Where events go, chosen at compile time: the matcher writes straight into the place a sink names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Events go around this many records, which stay in cache: emitted whole, then overwritten.
inline constexpr std::uint64_t ring_events = 1024;

/// Into a ring that starts over: every event is written whole, the last `mask + 1` can be read.
class RingSink {
  public:
    RingSink(Event* ring, std::uint64_t mask) : ring_(ring), mask_(mask) {}
    LOWLAT_INLINE Event& next() { return ring_[count_++ & mask_]; }
    /// The latest event; there is one after any command.
    LOWLAT_INLINE const Event& last() const { return ring_[(count_ - 1) & mask_]; }
    std::uint64_t count() const { return count_; }

  private:
    Event* ring_;
    std::uint64_t mask_;
    std::uint64_t count_ = 0;
};

/// The last events that a ring of `size` holds after `count` of them, oldest first.
inline std::vector<Event> last_events(const Event* ring, std::uint64_t size, std::uint64_t count) {
    std::vector<Event> last;
    last.reserve(std::min(count, size));
    for (std::uint64_t at = count - std::min(count, size); at < count; ++at) last.push_back(ring[at % size]);
    return last;
}

}  // namespace lowlat
