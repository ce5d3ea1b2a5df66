// What each noun of this module adds to it.
#pragma once

#include <nanobind/nanobind.h>

namespace lowlat {

void register_histogram(const nanobind::module_& m);
void register_interval_histograms(const nanobind::module_& m);

}  // namespace lowlat
