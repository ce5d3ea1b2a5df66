// Hints for the compiler and the processor. `make hints` builds the engine without each and shows its effect.
#pragma once

#if defined(LOWLAT_WITHOUT_INLINE)
#define LOWLAT_INLINE inline
#else
#define LOWLAT_INLINE inline __attribute__((always_inline))
#endif

// The same of a lambda, between its parameters and its body.
#if defined(LOWLAT_WITHOUT_INLINE)
#define LOWLAT_INLINE_LAMBDA
#else
#define LOWLAT_INLINE_LAMBDA __attribute__((always_inline))
#endif

// Keeps rare paths out of line, and out of the hot path's instruction cache lines.
#if defined(LOWLAT_WITHOUT_COLD)
#define LOWLAT_COLD
#else
#define LOWLAT_COLD __attribute__((noinline, cold))
#endif

// A separate path, optimized like any other, that does not affect its caller's code.
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

/// Prefetch the cache line of `address` for writing. Never faults, whatever the address.
LOWLAT_INLINE void prefetch([[maybe_unused]] const void* address) {
#if !defined(LOWLAT_WITHOUT_PREFETCH)
    __builtin_prefetch(address, 1, 3);
#endif
}

/// The same, for reading.
LOWLAT_INLINE void prefetch_to_read([[maybe_unused]] const void* address) {
#if !defined(LOWLAT_WITHOUT_PREFETCH)
    __builtin_prefetch(address, 0, 3);
#endif
}

}  // namespace lowlat
