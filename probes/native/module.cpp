#include <nanobind/nanobind.h>

#include "probes/native/registrations.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Native half of `probes`.";
    lowlat::register_cache_line(m);
    lowlat::register_clock(m);
    lowlat::register_core_speed(m);
    lowlat::register_counter_skew(m);
    lowlat::register_cpuid(m);
    lowlat::register_gap_watch(m);
    lowlat::register_kernel_clock(m);
    lowlat::register_kernel_path(m);
    lowlat::register_line_transfer(m);
    lowlat::register_memory(m);
    lowlat::register_numa_memory(m);
    lowlat::register_thread_usage(m);
    lowlat::register_wakeups(m);
}
