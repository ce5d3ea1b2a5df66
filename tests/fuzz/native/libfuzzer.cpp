// The driver for libFuzzer.
#include "tests/fuzz/native/fuzzer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    lowlat::fuzz::run(bytes, size);
    return 0;
}
