// One thread at a time in a matcher, kept also when the interpreter's lock is released.
#pragma once

#include <atomic>
#include <stdexcept>

#include "engine/native/matching/matcher.hpp"

namespace lowlat {

/// Another thread is executing in this engine. Becomes the Python error of the same name, and LOWLAT_BUSY.
class EngineBusyError : public std::runtime_error {
  public:
    EngineBusyError()
        : std::runtime_error("another thread is using this engine; give each thread its own, or take turns") {}
};

/// A matcher that knows whether it is in use.
class OwnedMatcher : public Matcher {
  public:
    using Matcher::Matcher;
    std::atomic_flag busy;
};

/// Held around every use from outside. Acquire and release, so that the next thread sees all that this one wrote.
class Claim {
  public:
    explicit Claim(OwnedMatcher& matcher) : busy_(matcher.busy) {
        if (busy_.test_and_set(std::memory_order_acquire)) throw EngineBusyError();
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { busy_.clear(std::memory_order_release); }

  private:
    std::atomic_flag& busy_;
};

}  // namespace lowlat
