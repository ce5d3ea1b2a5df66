// The registration functions of this module.
#pragma once

#include <nanobind/nanobind.h>

namespace lowlat {

void register_histogram(const nanobind::module_& m);
void register_interval_histograms(const nanobind::module_& m);
void register_latency_lines(nanobind::module_& m);

}  // namespace lowlat
