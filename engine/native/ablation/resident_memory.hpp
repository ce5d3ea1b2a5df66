// How memory was prepared: touched before it is used, or on first use; on huge pages, or on small ones.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

/// As large as an order.
struct alignas(64) MemoryRecord {
    std::uint64_t value;
};

/// Each operation writes the next record of memory that nothing was written to; with: all of it was touched before.
inline Pass measure_first_writes(const Trial& trial) {
    LockedRegion region(LockedRegion::room_for<MemoryRecord>(trial.operations),
                        trial.with ? Touch::all : Touch::as_used);
    auto* records = region.take<MemoryRecord>(trial.operations);
    return measured_operations(trial, [&](std::uint64_t at) { records[at].value = at; });
}

/// More than the second-level TLB of small pages reaches, in records that are read in random order.
inline constexpr std::uint32_t scattered_records = 1U << 19;

/// Each operation reads a record whose place is computed from what the previous one read; with: on huge pages. `look`
/// is called with the region before, for the kernel to tell what it gave. Throws std::system_error where the system
/// does not take such a request.
inline Pass measure_scattered_reads(const Trial& trial, const auto& look) {
    LockedRegion region(LockedRegion::room_for<MemoryRecord>(scattered_records), Touch::as_used);
    auto* records = region.take<MemoryRecord>(scattered_records);
#if defined(MADV_HUGEPAGE)
    if (madvise(records, region.bytes(), trial.with ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0)
        throw std::system_error(errno, std::generic_category(), "madvise");
#else
    throw std::system_error(ENOSYS, std::generic_category(), "madvise");
#endif
    region.touch(region.bytes());
    look(region);
    for (std::uint32_t at = 0; at < scattered_records; ++at) records[at].value = at;
    std::uint64_t place = trial.seed % scattered_records;
    return measured_operations(trial, [&](std::uint64_t) {
        // A linear congruential generator, which comes to every record before it comes to one again (T. E. Hull and
        // A. R. Dobell, "Random number generators", SIAM Review 4, 1962).
        place = (records[place].value * 0x5851'F42D'4C95'7F2D + 0x1405'7B7E'F767'814F) % scattered_records;
        use(place);
    });
}

}  // namespace lowlat
