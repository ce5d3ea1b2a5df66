// Records in memory that others may write to at any time.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Copy records so that the compiler reads only the copy from then on: what was checked is what is used.
template <typename Record>
LOWLAT_INLINE void copy_untrusted(Record* to, const Record* from, std::uint64_t count) {
    std::memcpy(static_cast<void*>(to), from, count * sizeof(Record));
    asm volatile("" : : "r"(to) : "memory");
}

}  // namespace lowlat
