// Admits one thread at a time to a matcher, even while the GIL is released.
#pragma once

#include <atomic>
#include <stdexcept>

#include "engine/native/matching/matcher.hpp"

namespace lowlat {

/// Another thread is executing in this engine. Becomes BusyError in Python and LOWLAT_BUSY in C.
class EngineBusyError : public std::runtime_error {
  public:
    EngineBusyError()
        : std::runtime_error("another thread is using this engine; give each thread its own, or take turns") {}
};

/// A matcher with a flag for whether it is in use.
class OwnedMatcher : public Matcher {
  public:
    using Matcher::Matcher;
    std::atomic_flag busy;
};

/// Held during every external use. Acquire and release, so that the next thread sees all writes of this one.
class ExclusiveUse {
  public:
    explicit ExclusiveUse(OwnedMatcher& matcher) : busy_(matcher.busy) {
        if (busy_.test_and_set(std::memory_order_acquire)) throw EngineBusyError();
    }
    ExclusiveUse(const ExclusiveUse&) = delete;
    ExclusiveUse& operator=(const ExclusiveUse&) = delete;
    ~ExclusiveUse() { busy_.clear(std::memory_order_release); }

  private:
    std::atomic_flag& busy_;
};

}  // namespace lowlat
