// What each fuzzer defines, and the drivers call: libfuzzer.cpp, or main.cpp where there is no libFuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace lowlat::fuzz {

/// Execute one input; abort() on any violation.
void run(const std::uint8_t* bytes, std::size_t size);

/// Plant the fault of this name, to prove that it is found. False if there is none.
bool plant(const char* name);

[[noreturn]] inline void end(const char* what, const char* details = "") {
    std::fprintf(stderr, "fuzz: %s\n%s\n", what, details);
    std::abort();
}

}  // namespace lowlat::fuzz
