// The kernel's share of the order path: a system call, and a message from one thread to another that is blocked in the
// kernel until it arrives. The channel transports the message (kernel_channels.hpp).
#pragma once

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"
#include "probes/native/thread_pin.hpp"
#include "probes/native/thread_usage.hpp"
#include "probes/native/two_threads.hpp"

#if defined(__linux__)
#include <sys/syscall.h>
#endif
#include <unistd.h>

namespace lowlat {

// The operation that failed; error 0 if none did.
struct Fault {
    int error = 0;  // errno
    const char* call = "";
    [[nodiscard]] explicit operator bool() const noexcept { return error != 0; }
};

struct PathSamples {
    std::vector<std::uint64_t> ticks;  // in order of measurement
    std::uint64_t awake = 0;           // messages left out: the receiver was not blocked when they arrived
    std::uint64_t backward = 0;        // messages received before they were sent: the CPUs' counters disagree
    Fault fault;
};

struct PathPlan {
    std::uint64_t samples = 0;
    std::uint64_t warm_up = 0;  // messages before the first sample
    std::int64_t pause_ns = 0;  // between an acknowledgment and the next message: time for the receiver to block
    std::int64_t limit_ns = 0;  // for the whole measurement, even with few samples
    std::optional<unsigned> sender_cpu;
    std::optional<unsigned> receiver_cpu;
};

// The size of a short binary order, such as a FIX SBE NewOrderSingle.
struct PathMessage {
    std::uint64_t key = 0;       // of this measurement, to detect foreign messages
    std::uint64_t sequence = 0;  // from 1
    std::uint64_t sent_ticks = 0;
    std::array<std::uint64_t, 5> rest{};
};
static_assert(sizeof(PathMessage) == 64);

namespace detail {

// The receiver acknowledges in memory, not through the kernel, so that only one direction is measured.
struct PathState {
    alignas(128) std::atomic<std::uint64_t> received{0};  // highest sequence
    std::atomic<std::uint64_t> kept{0};
    alignas(128) std::atomic<bool> stop{false};
};

// The main thread handles signals; here they would interrupt a wait.
inline void block_signals() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

inline Fault pin_to(std::optional<unsigned> cpu) noexcept {
    return {cpu ? pin_this_thread(*cpu) : 0, "sched_setaffinity"};
}

// With separate CPUs the sender can spin; on a single CPU it must yield to the receiver.
class PathWait {
  public:
    explicit PathWait(const PathPlan& plan) noexcept
        : makes_room_(!plan.sender_cpu || plan.sender_cpu == plan.receiver_cpu) {}
    // Returns whether it was done. A thread that slept past the end looks once more.
    template <typename Done>
    bool until(Done done, std::int64_t end_ns) const noexcept {
        while (!done()) {
            if (read_clock_ns(CLOCK_MONOTONIC_RAW) > end_ns) return done();
            if (makes_room_) std::this_thread::yield();
        }
        return true;
    }
    void pause(std::int64_t pause_ns) const noexcept {
        if (makes_room_) return std::this_thread::sleep_for(std::chrono::nanoseconds{pause_ns});
        until([] { return false; }, read_clock_ns(CLOCK_MONOTONIC_RAW) + pause_ns);
    }

  private:
    bool makes_room_;
};

template <typename Channel>
void receive_messages(Channel& channel, const PathPlan& plan, std::uint64_t key, PathState& state,
                      PathSamples& samples) {
    block_signals();
    samples.fault = pin_to(plan.receiver_cpu);
    while (!samples.fault && !state.stop.load(std::memory_order_acquire)) {
        const ThreadUsage before = read_thread_usage();
        PathMessage message;
        const Fault fault = channel.receive(message);
        const std::uint64_t now = ticks_end();
        if (fault.error == EAGAIN || fault.error == EINTR) continue;
        if (fault) samples.fault = fault;
        if (fault || message.key != key) continue;
        const ThreadUsage after = read_thread_usage();
        if (message.sequence <= plan.warm_up || samples.ticks.size() == plan.samples) {
            // not a sample
        } else if (after.error == 0 && after.voluntary_switches == before.voluntary_switches) {
            ++samples.awake;
        } else if (now < message.sent_ticks) {
            ++samples.backward;
        } else {
            samples.ticks.push_back(now - message.sent_ticks);
        }
        state.kept.store(samples.ticks.size(), std::memory_order_relaxed);
        state.received.store(message.sequence, std::memory_order_release);
    }
    state.stop.store(true, std::memory_order_release);
}

template <typename Channel>
Fault send_messages(Channel& channel, const PathPlan& plan, std::uint64_t key, PathState& state) {
    block_signals();
    Fault fault = pin_to(plan.sender_cpu);
    const PathWait wait(plan);
    const std::int64_t end_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) + plan.limit_ns;
    PathMessage message{.key = key};
    const auto answered = [&] {
        return state.received.load(std::memory_order_acquire) == message.sequence ||
               state.stop.load(std::memory_order_acquire);
    };
    while (!fault && !state.stop.load(std::memory_order_acquire) &&
           state.kept.load(std::memory_order_relaxed) < plan.samples && read_clock_ns(CLOCK_MONOTONIC_RAW) < end_ns) {
        wait.pause(plan.pause_ns);
        ++message.sequence;
        message.sent_ticks = ticks_begin();
        fault = channel.send(message);
        // None is lost on one host, but on a busy one a message may arrive late, and must not be mistaken for the next.
        if (!fault && !wait.until(answered, end_ns)) break;
    }
    state.stop.store(true, std::memory_order_release);
    // Wakes the receiver, which would otherwise notice only when its wait times out.
    ++message.sequence;
    static_cast<void>(channel.send(message));
    return fault;
}

}  // namespace detail

// Sends messages over `channel`, one at a time, each to a blocked receiver. Bounded by `plan.limit_ns` and the
// channel's own limits. The channel has `Fault send(const PathMessage&)` and `Fault receive(PathMessage&)`; the latter
// waits in the kernel for at most some tenths of a second, then returns EAGAIN.
template <typename Channel>
PathSamples measure_path(Channel& channel, const PathPlan& plan) {
    const std::uint64_t key = ticks();
    detail::PathState state;
    PathSamples samples;
    samples.ticks.reserve(plan.samples);
    Fault sending;
    const int refused = run_both([&] { detail::receive_messages(channel, plan, key, state, samples); },
                                 [&] { sending = detail::send_messages(channel, plan, key, state); },
                                 [&] { state.stop.store(true, std::memory_order_release); });
    if (refused != 0) sending = {refused, "pthread_create"};
    if (!samples.fault) samples.fault = sending;
    return samples;
}

// A call that no library handles without the kernel, unlike clock_gettime or, in some libraries, getpid.
inline Fault enter_kernel() noexcept {
#if defined(__linux__)
    return {syscall(SYS_getppid) < 0 ? errno : 0, "getppid"};
#else
    return {getppid() < 0 ? errno : 0, "getppid"};
#endif
}

inline PathSamples measure_system_call(const PathPlan& plan) {
    PathSamples samples;
    samples.ticks.reserve(plan.samples);
    std::thread caller;
    const auto call_repeatedly = [&] {
        detail::block_signals();
        samples.fault = detail::pin_to(plan.receiver_cpu);
        const std::int64_t end_ns = read_clock_ns(CLOCK_MONOTONIC_RAW) + plan.limit_ns;
        for (std::uint64_t call = 0; !samples.fault && samples.ticks.size() < plan.samples; ++call) {
            const std::uint64_t begin = ticks_begin();
            samples.fault = enter_kernel();
            const std::uint64_t end = ticks_end();
            if (call >= plan.warm_up) samples.ticks.push_back(end - begin);
            if (read_clock_ns(CLOCK_MONOTONIC_RAW) > end_ns) break;
        }
    };
    try {
        caller = std::thread(call_repeatedly);
    } catch (const std::system_error& refused) {
        return {.fault = {refused.code().value(), "pthread_create"}};
    }
    caller.join();
    return samples;
}

// Timer overhead: the median time between two ordered back-to-back timestamps, included in every measured time.
inline std::uint64_t measure_stamp_ticks() {
    std::array<std::uint64_t, 1001> around_nothing{};
    for (std::uint64_t& each : around_nothing) {
        const std::uint64_t begin = ticks_begin();
        each = ticks_end() - begin;
    }
    std::nth_element(around_nothing.begin(), around_nothing.begin() + 500, around_nothing.end());
    return around_nothing[500];
}

}  // namespace lowlat
