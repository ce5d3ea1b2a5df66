// The registration function of each source file of this module.
#pragma once

#include <nanobind/nanobind.h>

namespace lowlat {

void register_cache_line(nanobind::module_& m);
void register_clock(nanobind::module_& m);
void register_core_speed(nanobind::module_& m);
void register_counter_skew(nanobind::module_& m);
void register_cpuid(nanobind::module_& m);
void register_gap_watch(nanobind::module_& m);
void register_kernel_clock(nanobind::module_& m);
void register_kernel_path(nanobind::module_& m);
void register_line_transfer(nanobind::module_& m);
void register_memory(nanobind::module_& m);
void register_numa_memory(nanobind::module_& m);
void register_thread_usage(nanobind::module_& m);
void register_wakeups(nanobind::module_& m);

}  // namespace lowlat
