// Where events go, chosen at compile time: the matcher writes straight into the place a sink names.
#pragma once

#include <cstdint>

#include "engine/native/hints.hpp"
#include "engine/native/records.hpp"

namespace lowlat {

/// Into an array that the caller made long enough.
class ArraySink {
  public:
    explicit ArraySink(Event* start) : start_(start), next_(start) {}
    LOWLAT_INLINE Event& next() { return *next_++; }
    std::uint64_t count() const { return static_cast<std::uint64_t>(next_ - start_); }

  private:
    Event* start_;
    Event* next_;
};

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

}  // namespace lowlat
