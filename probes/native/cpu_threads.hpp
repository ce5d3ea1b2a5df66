// Runs work on a thread for each of some CPUs, all at once. The calling thread waits meanwhile, and looks now and then
// whether it is to stop them.
#pragma once

#include <sched.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "probes/native/thread_pin.hpp"

namespace lowlat {

/// Why a thread did not do its work: an errno each, 0 where nothing failed.
struct CpuThreadErrors {
    int error = 0;     // it could not be started, pinned, or given memory
    int priority = 0;  // the kernel refused the real-time priority
};

namespace detail {

/// Counts down to 0, which one thread waits for.
class Countdown {
  public:
    explicit Countdown(std::size_t left) : left_(left) {}

    void one() {
        const std::lock_guard hold(mutex_);
        --left_;
        done_.notify_one();
    }
    /// Whether it is 0, after waiting for it for some time.
    bool wait(std::chrono::milliseconds time) {
        std::unique_lock hold(mutex_);
        return done_.wait_for(hold, time, [this] { return left_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable done_;
    std::size_t left_;
};

inline int take_fifo_priority(int priority) noexcept {
    if (priority == 0) return 0;
    const sched_param parameters{.sched_priority = priority};
    return sched_setscheduler(0, SCHED_FIFO, &parameters) == 0 ? 0 : errno;
}

}  // namespace detail

/// `work(cpu)` on a thread pinned to each CPU, with a real-time priority unless it is 0. `look()` is called from time
/// to time by the calling thread; returns true to go on. If it returns false, or a thread fails, `stop` is set. Returns
/// what the threads found; `Found` has a member `errors`.
template <typename Found, typename Work, typename Look>
std::vector<Found> on_each_cpu(const std::vector<unsigned>& cpus, int priority, std::atomic<bool>& stop, Work work,
                               Look look) {
    constexpr std::chrono::milliseconds between_looks{500};
    std::vector<Found> found(cpus.size());
    detail::Countdown running(cpus.size());
    const auto run = [&](std::size_t at) noexcept {
        CpuThreadErrors errors{.error = pin_this_thread(cpus[at]), .priority = detail::take_fifo_priority(priority)};
        if (errors.error == 0 && errors.priority == 0) {
            try {
                found[at] = work(cpus[at]);
            } catch (const std::bad_alloc&) {
                errors.error = ENOMEM;
            }
        }
        found[at].errors = errors;
        if (errors.error != 0 || errors.priority != 0) stop.store(true, std::memory_order_relaxed);
        running.one();
    };
    std::vector<std::thread> threads;
    threads.reserve(cpus.size());
    const auto not_started = [&](std::size_t at, int error) {
        found[at].errors.error = error;
        stop.store(true, std::memory_order_relaxed);
        running.one();
    };
    for (std::size_t at = 0; at < cpus.size(); ++at) {
        try {
            threads.emplace_back(run, at);
        } catch (const std::system_error& refused) {
            not_started(at, refused.code().value());
        } catch (const std::bad_alloc&) {
            not_started(at, ENOMEM);
        }
    }
    while (!running.wait(between_looks))
        if (!look()) stop.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads) thread.join();
    return found;
}

}  // namespace lowlat
