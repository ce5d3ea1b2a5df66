// Counts this module's allocations from the heap and from the system.
#pragma once

#include <cstdint>

#if !defined(LOWLAT_COUNTS_ALLOCATIONS)
#define LOWLAT_COUNTS_ALLOCATIONS 1
#endif

namespace lowlat {

/// Heap allocations and mappings since the module was loaded, by any thread; -1 if they are not counted.
std::int64_t allocations();

}  // namespace lowlat
