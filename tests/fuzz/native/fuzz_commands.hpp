// What a fuzzer calls, whichever it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/native/simple_market.hpp"

namespace lowlat::fuzz {

/// Execute one input; abort() where something does not hold.
void run(const std::uint8_t* bytes, std::size_t size);

/// For the proof that a difference is found.
extern Fault planted;

}  // namespace lowlat::fuzz
