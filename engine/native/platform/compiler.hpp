// What the compiler and the processor can be told. `make hints` builds the engine without each and shows its worth.
#pragma once

#if defined(LOWLAT_WITHOUT_INLINE)
#define LOWLAT_INLINE inline
#else
#define LOWLAT_INLINE inline __attribute__((always_inline))
#endif

// Rare paths are kept out of the straight line, and out of its instruction cache lines.
#if defined(LOWLAT_WITHOUT_COLD)
#define LOWLAT_COLD
#else
#define LOWLAT_COLD __attribute__((noinline, cold))
#endif

// A path of its own, as fast as any, that leaves the one beside it as it is.
#define LOWLAT_APART __attribute__((noinline))

namespace lowlat {

LOWLAT_INLINE bool likely(bool condition) {
#if defined(LOWLAT_WITHOUT_LIKELY)
    return condition;
#else
    return __builtin_expect(condition, true);
#endif
}

LOWLAT_INLINE bool unlikely(bool condition) {
#if defined(LOWLAT_WITHOUT_LIKELY)
    return condition;
#else
    return __builtin_expect(condition, false);
#endif
}

/// Ask for the cache line of `address`, to be written soon. Never faults, whatever the address.
LOWLAT_INLINE void prefetch([[maybe_unused]] const void* address) {
#if !defined(LOWLAT_WITHOUT_PREFETCH)
    __builtin_prefetch(address, 1, 3);
#endif
}

}  // namespace lowlat
