// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// What a ring is, and how to wait for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// What to do while a ring is full (push) or empty (pop).
enum class WaitStrategy : std::uint8_t {
    spin = 0,   // Look again at once, for threads that have a CPU each.
    yield = 1,  // After some microseconds let other threads run.
    fail = 2,   // Do not wait: it is an error.
};

/// How many may push into a ring.
enum class RingKind : std::uint32_t {
    spsc = 1,  // One producer.
    mpsc = 2,  // Many producers.
};

/// Why a block of memory is not the ring that was asked for.
enum class RingFault : std::uint8_t {
    none = 0,         // It is.
    size = 1,         // It is shorter or longer than its records take.
    not_a_ring = 2,   // It does not start as a ring does.
    version = 3,      // It has another format.
    kind = 4,         // It is for another number of producers.
    record_size = 5,  // It is for other records.
    capacity = 6,     // Its capacity is not a power of two.
    indices = 7,      // Its indices contradict each other.
};

}  // namespace lowlat
