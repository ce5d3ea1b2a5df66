// A pass of two threads: the calling one, and one beside it on another CPU.
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/bench/measured_call.hpp"
#include "engine/native/rings/wait_strategy.hpp"
#include "probes/native/thread_pin.hpp"

namespace lowlat {

/// Run `own()` here and `other()` on `other_cpu`, from the same moment on. The CPU time is that of both. Throws
/// std::system_error if there is no thread to be had, or it cannot be pinned.
template <typename Other, typename Own>
Pass measured_beside(const Trial& trial, unsigned other_cpu, Other other, Own own) {
    std::atomic<int> ready{0};  // 1: the other thread waits for the start; 2: both run; -1: it could not be pinned
    std::int64_t other_ns = unknown_count;
    int pin_error = 0;
    std::thread beside([&] {
        pin_error = pin_this_thread(other_cpu);
        ready.store(pin_error == 0 ? 1 : -1, std::memory_order_release);
        if (pin_error != 0) return;
        while (ready.load(std::memory_order_acquire) != 2) relax();
        const std::int64_t before = thread_cpu_ns();
        other();
        other_ns = cpu_ns_since(before);
    });
    while (ready.load(std::memory_order_acquire) == 0) std::this_thread::yield();
    if (ready.load(std::memory_order_acquire) < 0) {
        beside.join();
        throw std::system_error(pin_error, std::generic_category(), "sched_setaffinity");
    }
    Pass pass = measured_call(trial.operations, [&] {
        ready.store(2, std::memory_order_release);
        own();
        beside.join();
        return std::uint64_t{0};
    });
    pass.cpu_ns = pass.cpu_ns == unknown_count || other_ns == unknown_count ? unknown_count : pass.cpu_ns + other_ns;
    return pass;
}

}  // namespace lowlat
