// The kernel's view of the counter: the scale it publishes with every perf event, and NTP's slew.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <tuple>

#include "probes/native/registrations.hpp"

#if defined(__linux__)
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>
#endif

namespace nb = nanobind;

namespace lowlat {
namespace {

struct PerfClock {
    std::uint32_t multiplier = 0;  // ns = ticks * multiplier >> shift, as the kernel's sched_clock does
    unsigned shift = 0;
    int error = 0;  // errno; ENOTSUP: the kernel does not publish its scale
};

struct Slew {
    double frequency_ppm = 0.0;     // how much faster MONOTONIC runs than RAW, according to the kernel
    std::int64_t tick_us = 0;       // 10,000 unless someone changed the length of a tick
    std::int64_t max_error_us = 0;  // how far from true time the kernel may be, by its own account
    bool synchronized = false;
    int error = 0;
};

#if defined(__linux__)
PerfClock read_perf_clock() noexcept {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_DUMMY;  // counts nothing: only its page is needed
    attributes.exclude_kernel = 1;            // allowed to everyone up to perf_event_paranoid 2
    attributes.exclude_hv = 1;
    PerfClock clock;
    const auto file = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (file < 0) {
        clock.error = errno;
        return clock;
    }
    const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* memory = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        clock.error = errno;
    } else {
        // Set once when the event is created, so the page's sequence lock is not needed.
        const auto* page = static_cast<const perf_event_mmap_page*>(memory);
        if (page->cap_user_time != 0) {
            clock.multiplier = page->time_mult;
            clock.shift = page->time_shift;
        } else {
            clock.error = ENOTSUP;
        }
        munmap(memory, bytes);
    }
    close(file);
    return clock;
}

Slew read_slew() noexcept {
    timex state{};
    state.modes = 0;  // read only
    Slew slew;
    const int status = adjtimex(&state);
    if (status < 0) {
        slew.error = errno;
        return slew;
    }
    // adjtimex(2): freq is ppm with 16 fractional bits; a tick of 10,000 us is nominal, so 1 us is 100 ppm.
    slew.frequency_ppm = static_cast<double>(state.freq) / 65536.0 + static_cast<double>(state.tick - 10'000) * 100.0;
    slew.tick_us = state.tick;
    slew.max_error_us = state.maxerror;
    slew.synchronized = (state.status & STA_UNSYNC) == 0;
    return slew;
}
#else
PerfClock read_perf_clock() noexcept {
    return {.error = ENOSYS};
}
Slew read_slew() noexcept {
    return {.error = ENOSYS};
}
#endif

}  // namespace

void register_kernel_clock(nb::module_& m) {
    nb::class_<PerfClock>(m, "PerfClock")
        .def_ro("multiplier", &PerfClock::multiplier)
        .def_ro("shift", &PerfClock::shift)
        .def_ro("error", &PerfClock::error);
    m.def("read_perf_clock", &read_perf_clock, "The kernel's own scale of the counter; `error` is an errno or 0.");
    nb::class_<Slew>(m, "Slew")
        .def_ro("frequency_ppm", &Slew::frequency_ppm)
        .def_ro("tick_us", &Slew::tick_us)
        .def_ro("max_error_us", &Slew::max_error_us)
        .def_ro("synchronized", &Slew::synchronized)
        .def_ro("error", &Slew::error);
    m.def("read_slew", &read_slew, "What adjtimex says of NTP; `error` is an errno or 0.");
}

}  // namespace lowlat
