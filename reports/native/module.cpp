#include <nanobind/nanobind.h>

#include "reports/native/register.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Native half of `reports`.";
    lowlat::register_histogram(m);
}
