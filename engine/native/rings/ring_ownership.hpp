// One consumer at a time, and one producer where the ring has one, also over processes. For calls from Python, of which
// each moves an array; threads of the core know their roles and do not ask.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "engine/native/rings/ring_layout.hpp"

namespace lowlat {

/// Another thread holds this end of the ring. Becomes the Python error BusyError.
class RingBusyError : public std::runtime_error {
  public:
    RingBusyError(const char* act, std::uint64_t holder)
        : std::runtime_error(std::string("thread ") + std::to_string(holder) + " is " + act +
                             " at this moment, and this end of the ring is for one thread at a time; take turns, or "
                             "give each its own ring") {}
};

/// Held for one call. The word in the block names the thread that holds it, so that one left by a killed process is
/// taken over. A thread of another process-id namespace looks dead from here: there the rule is not enforced.
class RingOwnership {
  public:
    RingOwnership(RingIndex& word, const char* act) : word_(word) {
        const std::uint64_t self = this_thread();
        std::uint64_t holder = 0;
        // Acquire: pairs with the release below; what the last holder cached in the block is seen by this one. Relaxed
        // on failure: the value only names the holder.
        while (!word_.compare_exchange_strong(holder, self, std::memory_order_acquire, std::memory_order_relaxed)) {
            // A word with our own number was left by a killed thread that had it before.
            if (holder != 0 && holder != self && alive(holder)) throw RingBusyError(act, holder);
        }
    }
    RingOwnership(const RingOwnership&) = delete;
    RingOwnership& operator=(const RingOwnership&) = delete;
    ~RingOwnership() {
        // Release: see above.
        word_.store(0, std::memory_order_release);
    }

  private:
    static std::uint64_t this_thread() {
#if defined(__linux__)
        return static_cast<std::uint64_t>(gettid());
#else
        return static_cast<std::uint64_t>(getpid());
#endif
    }
    static bool alive(std::uint64_t thread) { return kill(static_cast<pid_t>(thread), 0) == 0 || errno != ESRCH; }

    RingIndex& word_;
};

}  // namespace lowlat
