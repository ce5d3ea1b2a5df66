// Admits one call at a time to an engine, without a locked instruction for a thread that has claimed it.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/status.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

#if defined(__ELF__)
// Else a shared library calls a function for the address of a thread's variable.
#define LOWLAT_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#define LOWLAT_INITIAL_EXEC
#endif

/// Its address tells a thread from all others that run.
LOWLAT_INITIAL_EXEC inline constinit thread_local std::uint64_t thread_mark = 0;

/// Who uses an engine: nobody (0), or a thread, as its mark: which has claimed it, is in a call, or both.
///
/// One word, so that every misuse is detected: only a thread that finds 0 may write its mark, and only the thread whose
/// mark is there may write anything else.
class Ownership {
  public:
    Ownership() = default;
    Ownership(const Ownership&) = delete;
    Ownership& operator=(const Ownership&) = delete;

    /// Give the engine to this thread until it releases it. Throws EngineError.
    void claim() {
        if (!claimed()) take(self());
        between_calls_ = self();
    }

    /// Undo claim(); nothing if nobody has claimed it. Throws EngineError.
    void release() {
        const std::uintptr_t user = user_.load(std::memory_order_relaxed);
        if (user == 0) return;
        if (user != self()) refuse(why_not(user));
        between_calls_ = 0;
        // Release, and acquire in take(), so that the next thread sees all writes of this one.
        user_.store(0, std::memory_order_release);
    }

    /// Whether this thread has claimed it, and is in no call.
    bool claimed() const { return user_.load(std::memory_order_relaxed) == self(); }

  private:
    friend class ExclusiveCall;

    /// In a call; a bit that the address of a mark has free.
    static constexpr std::uintptr_t calling = 1;

    static LOWLAT_INLINE std::uintptr_t self() { return reinterpret_cast<std::uintptr_t>(&thread_mark); }

    /// Begin a call. Throws EngineError.
    LOWLAT_INLINE void enter() {
        const std::uintptr_t mine = self();
        if (unlikely(user_.load(std::memory_order_relaxed) != mine)) return take(mine | calling);
        user_.store(mine | calling, std::memory_order_relaxed);  // no other thread writes while the mark is there
    }
    LOWLAT_INLINE void leave() { user_.store(between_calls_, std::memory_order_release); }

    void take(std::uintptr_t as) {
        std::uintptr_t user = 0;
        if (!user_.compare_exchange_strong(user, as, std::memory_order_acquire, std::memory_order_relaxed))
            refuse(why_not(user));
    }

    static lowlat_status why_not(std::uintptr_t user) {
        return (user & ~calling) == self() ? LOWLAT_REENTERED : LOWLAT_BUSY;
    }

    std::atomic<std::uintptr_t> user_{0};
    std::uintptr_t between_calls_ = 0;  // what leave() writes: the mark of the thread that has claimed it, or 0
};

/// Held during a call.
class ExclusiveCall {
  public:
    LOWLAT_INLINE explicit ExclusiveCall(Ownership& ownership) : ownership_(ownership) { ownership.enter(); }
    ExclusiveCall(const ExclusiveCall&) = delete;
    ExclusiveCall& operator=(const ExclusiveCall&) = delete;
    LOWLAT_INLINE ~ExclusiveCall() { ownership_.leave(); }

  private:
    Ownership& ownership_;
};

}  // namespace lowlat
