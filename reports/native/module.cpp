#include <nanobind/nanobind.h>

#include "reports/native/register.hpp"

// NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is nanobind's.
NB_MODULE(_core, m) {
    m.doc() = "Native half of `reports`.";
    lowlat::register_histogram(m);
    lowlat::register_interval_histograms(m);
    lowlat::register_latency_lines(m);
}
