// A side from Python: a Side of engine/matching/records.py, an integer.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Raises ValueError if the number is not a side.
inline Side side_from(std::uint32_t number) {
    if (!is_side(number)) throw nanobind::value_error("a side is 0 (buy) or 1 (sell)");
    return static_cast<Side>(number);
}

}  // namespace lowlat
