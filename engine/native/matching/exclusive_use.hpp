// Admits one thread at a time to a matcher, even while the GIL is released.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "engine/native/matching/copied_batch.hpp"
#include "engine/native/matching/growing_sink.hpp"
#include "engine/native/matching/matcher.hpp"

namespace lowlat {

/// Another thread is executing in this engine. Becomes BusyError in Python and LOWLAT_BUSY in C.
class EngineBusyError : public std::runtime_error {
  public:
    EngineBusyError()
        : std::runtime_error("another thread is using this engine; give each thread its own, or take turns") {}
};

/// A command was interrupted in this engine. Becomes NotValidError in Python.
class EngineBrokenError : public std::runtime_error {
  public:
    EngineBrokenError()
        : std::runtime_error(
              "this engine ran out of memory inside a command, and its books are inconsistent; reset it, "
              "or recover from its journal") {}
};

/// Executed by a batch that ended early, between two commands.
struct InterruptedBatch {
    std::uint64_t commands;
    GrowingSink events;
};

/// A matcher with a flag for whether it is in use. The rest belongs to its user.
class OwnedMatcher : public Matcher {
  public:
    using Matcher::Matcher;
    std::atomic_flag busy;
    bool broken = false;        // the books are inconsistent
    bool grid_checked = false;  // see warn_of_grid()
    GrowingSink scratch{0};     // events of a small batch, before their number is known
    BatchCopy batch;            // of a journaled batch
    std::optional<InterruptedBatch> interrupted;
};

/// Held during an external use, whether or not the matcher is broken. Acquire and release, so that the next thread sees
/// all writes of this one.
class Claim {
  public:
    explicit Claim(OwnedMatcher& matcher) : Claim(matcher.busy) {}
    explicit Claim(std::atomic_flag& busy) : busy_(busy) {
        if (busy_.test_and_set(std::memory_order_acquire)) throw EngineBusyError();
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { busy_.clear(std::memory_order_release); }

  private:
    std::atomic_flag& busy_;
};

/// The same, of a matcher whose books are consistent.
class ExclusiveUse {
  public:
    explicit ExclusiveUse(OwnedMatcher& matcher) : claim_(matcher) {
        if (matcher.broken) throw EngineBrokenError();
    }

  private:
    Claim claim_;
};

/// Run `work`, which executes commands. If it throws, the books are inconsistent from then on.
template <typename Work>
void execute_whole(OwnedMatcher& matcher, Work work) {
    matcher.broken = true;
    work();
    matcher.broken = false;
}

}  // namespace lowlat
