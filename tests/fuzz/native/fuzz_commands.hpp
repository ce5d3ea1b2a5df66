// The functions that any fuzzer calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/native/simple_market.hpp"

namespace lowlat::fuzz {

/// Execute one input; abort() on any violation.
void run(const std::uint8_t* bytes, std::size_t size);

/// To prove that a difference is found.
extern Fault planted;

}  // namespace lowlat::fuzz
