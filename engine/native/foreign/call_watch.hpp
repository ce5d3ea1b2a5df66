// Calls into a foreign library: what is under way, and the end of the process if it crashes, hangs, calls exit() or
// never stops to emit events. It ends with one line on stderr, which is what the parent reports.
#pragma once

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace lowlat {

/// The exit code of a process whose figures are not valid; ExitCode.NOT_VALID in Python.
inline constexpr int exit_not_valid = 3;

/// Memory behind a buffer that a library may fill. An access is a write past the end.
struct GuardPage {
    std::atomic<std::uintptr_t> start{0};
    std::atomic<std::uintptr_t> end{0};

    bool has(const void* address) const {
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return at >= start.load(std::memory_order_relaxed) && at < end.load(std::memory_order_relaxed);
    }
};

/// The one call that is under way. Read by signal handlers and by the thread that watches for hangs.
class CallWatch {
  public:
    /// Watch calls of this library from now on. `limit`: how long one may take without an event. Throws
    /// std::system_error where the system gives no thread.
    static void begin(const std::string& library, std::chrono::milliseconds limit) {
        std::snprintf(library_.data(), library_.size(), "%s", library.c_str());
        limit_ms_.store(limit.count(), std::memory_order_relaxed);
        [[maybe_unused]] static const bool begun = [] {
            catch_signals();
            std::atexit(&on_exit);
            std::thread(watch).detach();
            return true;
        }();
    }

    /// Ends the process. Async-signal-safe.
    [[noreturn]] static void give_up(const char* what) {
        const char* function = function_.load(std::memory_order_relaxed);
        say(library_.data());
        say(" ");
        say(what);
        say(" in ");
        say(function == nullptr ? "its own thread" : function);
        say("()\n");
        _exit(exit_not_valid);
    }

    /// Where it is said how a library ended the process: stderr, unless that is the library's.
    static void say_to(int descriptor) { says_to_.store(descriptor, std::memory_order_relaxed); }

    static inline GuardPage guard;

  private:
    friend class ForeignCall;

    static void say(const char* text) {
        const int to = says_to_.load(std::memory_order_relaxed);
        [[maybe_unused]] const ssize_t written = write(to, text, std::strlen(text));
    }

    static void catch_signals() {
        static std::array<std::byte, std::size_t{64} << 10> stack;  // a stack overflow leaves none to run on
        const stack_t apart{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
        sigaltstack(&apart, nullptr);
        struct sigaction ours{};
        ours.sa_sigaction = &on_crash;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
        sigemptyset(&ours.sa_mask);
        for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(number, &ours, nullptr);
    }

    static void on_crash(int number, siginfo_t* info, void*) {
        if (function_.load(std::memory_order_relaxed) == nullptr) {  // not in the library
            raise(number);
            return;
        }
        if (number == SIGSEGV && guard.has(info->si_addr)) give_up("wrote past the end of its room for events");
        switch (number) {
            case SIGSEGV:
                give_up("crashed (SIGSEGV)");
            case SIGBUS:
                give_up("crashed (SIGBUS)");
            case SIGFPE:
                give_up("crashed (SIGFPE)");
            case SIGILL:
                give_up("crashed (SIGILL)");
            default:
                give_up("aborted (SIGABRT)");
        }
    }

    /// A library that calls exit() would choose the process's code, 0 as well.
    static void on_exit() {
        if (function_.load(std::memory_order_relaxed) != nullptr) give_up("ended its process");
    }

    /// The count that another thread adds to without a lock: only whether it changes matters.
#if defined(__GNUC__)
    [[gnu::no_sanitize("thread")]]
#endif
    static std::uint64_t progress() {
        const volatile std::uint64_t* count = progress_.load(std::memory_order_acquire);
        return count == nullptr ? 0 : *count;
    }

    /// Whether no call has begun or ended since, so that what was read in between is of this one.
    static bool is_still(std::uint64_t call) { return calls_.fetch_add(0, std::memory_order_acq_rel) == call; }

    static void watch() {
        cpu_set_t any;  // not the measured CPU alone, where the creator is pinned
        std::memset(&any, 0xFF, sizeof(any));
        sched_setaffinity(0, sizeof(any), &any);
        std::uint64_t call = 0;
        std::uint64_t seen = 0;
        std::int64_t still_ms = 0;
        constexpr std::chrono::milliseconds interval{200};
        for (;;) {
            std::this_thread::sleep_for(interval);
            const std::uint64_t now = calls_.load(std::memory_order_acquire);
            const bool idle = function_.load(std::memory_order_relaxed) == nullptr;
            const std::uint64_t most = most_.load(std::memory_order_acquire);  // before the count it is for
            const std::uint64_t count = idle ? 0 : progress();
            const bool still = !idle && now == call && count == seen;
            still_ms = still ? still_ms + interval.count() : 0;
            call = now;
            seen = count;
            if (count > most && is_still(now)) give_up("emits events without end");
            if (still_ms >= limit_ms_.load(std::memory_order_relaxed)) give_up("hangs: no event for too long");
        }
    }

    static inline std::array<char, 512> library_{};
    static inline std::atomic<int> says_to_{STDERR_FILENO};
    static inline std::atomic<std::int64_t> limit_ms_{0};
    static inline std::atomic<std::uint64_t> calls_{0};  // begun and ended
    static inline std::atomic<const char*> function_{nullptr};
    static inline std::atomic<const std::uint64_t*> progress_{nullptr};
    static inline std::atomic<std::uint64_t> most_{0};
};

/// A call into the library, or many of one function. `progress`: the count of its events, at most `most`. It outlives
/// this.
class ForeignCall {
  public:
    explicit ForeignCall(const char* function, const std::uint64_t* progress = nullptr, std::uint64_t most = 0) {
        CallWatch::progress_.store(progress, std::memory_order_relaxed);
        CallWatch::most_.store(most, std::memory_order_release);
        CallWatch::function_.store(function, std::memory_order_relaxed);
        // Release: the watching thread that sees the number of this call sees its function.
        CallWatch::calls_.fetch_add(1, std::memory_order_release);
    }
    ForeignCall(const ForeignCall&) = delete;
    ForeignCall& operator=(const ForeignCall&) = delete;
    ~ForeignCall() {
        CallWatch::calls_.fetch_add(1, std::memory_order_acq_rel);  // before the count that is watched is gone
        CallWatch::function_.store(nullptr, std::memory_order_relaxed);
        CallWatch::progress_.store(nullptr, std::memory_order_release);
    }
};

}  // namespace lowlat
