// What module.cpp calls: one function for each file that binds something.
#pragma once

#include <nanobind/nanobind.h>

namespace lowlat {

void register_engine(nanobind::module_& m);

}  // namespace lowlat
