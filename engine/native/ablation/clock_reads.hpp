// What a timestamp is read from: the processor's counter, or the C library's clock.
#pragma once

#include <cstdint>
#include <ctime>

#include "engine/native/ablation/trial.hpp"
#include "probes/native/clock.hpp"
#include "probes/native/clock_fit.hpp"

namespace lowlat {

inline Pass measure_clock_reads(const Trial& trial) {
    if (trial.with) return measured_operations(trial, [](std::uint64_t) { use(ticks_begin()); });
    return measured_operations(trial, [](std::uint64_t) { use(read_clock_ns(CLOCK_MONOTONIC)); });
}

}  // namespace lowlat
