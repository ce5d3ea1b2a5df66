// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// The header of a mapped book.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// What the writer of a mapped book last said of itself.
enum class BookState : std::uint64_t {
    blank = 0,     // Nothing yet.
    live = 1,      // It writes; a killed writer leaves this.
    closed = 2,    // It has closed the book.
    replaced = 3,  // A book with another layout has taken its place.
};

/// What a mapped book is, unchanged while the file lives.
struct BookIdentity {
    std::uint64_t magic;  // Written last: also tells the byte order.
    std::uint32_t version;
    std::uint32_t header_bytes;
    std::uint32_t level_bytes;
    std::uint32_t depth;  // Levels a side, even: both sides start on a cache line.
    std::uint64_t file_bytes;
    std::int64_t tick;
    char unit[24];    // Decimal worth of one price unit, as text.
    char symbol[32];  // No terminator when all 32 are used.
    std::uint64_t zero[3];
    std::uint64_t checksum;  // CRC-32 of the 120 bytes before.
};
static_assert(sizeof(BookIdentity) == 128);
static_assert(alignof(BookIdentity) == 8);
static_assert(offsetof(BookIdentity, magic) == 0);
static_assert(offsetof(BookIdentity, version) == 8);
static_assert(offsetof(BookIdentity, header_bytes) == 12);
static_assert(offsetof(BookIdentity, level_bytes) == 16);
static_assert(offsetof(BookIdentity, depth) == 20);
static_assert(offsetof(BookIdentity, file_bytes) == 24);
static_assert(offsetof(BookIdentity, tick) == 32);
static_assert(offsetof(BookIdentity, unit) == 40);
static_assert(offsetof(BookIdentity, symbol) == 64);
static_assert(offsetof(BookIdentity, zero) == 96);
static_assert(offsetof(BookIdentity, checksum) == 120);

/// Who writes a mapped book. Every word from here on is read and written as an atomic.
struct BookOwner {
    std::uint64_t pid;
    std::uint64_t start;       // Of that process, in clock ticks since boot: tells a reused pid.
    std::uint64_t generation;  // Writers so far.
    std::uint64_t state;       // BookState
    std::uint64_t zero[4];
};
static_assert(sizeof(BookOwner) == 64);
static_assert(alignof(BookOwner) == 8);
static_assert(offsetof(BookOwner, pid) == 0);
static_assert(offsetof(BookOwner, start) == 8);
static_assert(offsetof(BookOwner, generation) == 16);
static_assert(offsetof(BookOwner, state) == 24);
static_assert(offsetof(BookOwner, zero) == 32);

/// On one line, for a reader needs all of it and a writer changes all of it.
struct BookPulse {
    std::uint64_t sequence;  // Odd while an update is under way.
    std::uint64_t bids;      // Levels shown on each side.
    std::uint64_t asks;
    std::uint64_t command;    // The source's command after which the book first looked so.
    std::uint64_t heartbeat;  // When the writer last published or said that it lives, in nanoseconds since 1970.
    std::uint64_t zero[3];
};
static_assert(sizeof(BookPulse) == 64);
static_assert(alignof(BookPulse) == 8);
static_assert(offsetof(BookPulse, sequence) == 0);
static_assert(offsetof(BookPulse, bids) == 8);
static_assert(offsetof(BookPulse, asks) == 16);
static_assert(offsetof(BookPulse, command) == 24);
static_assert(offsetof(BookPulse, heartbeat) == 32);
static_assert(offsetof(BookPulse, zero) == 40);

/// The header of a mapped book: identity, which never changes, writer, sequence and counts.
struct BookHeader {
    BookIdentity identity;
    BookOwner owner;
    BookPulse pulse;
};
static_assert(sizeof(BookHeader) == 256);
static_assert(alignof(BookHeader) == 8);
static_assert(offsetof(BookHeader, identity) == 0);
static_assert(offsetof(BookHeader, owner) == 128);
static_assert(offsetof(BookHeader, pulse) == 192);

}  // namespace lowlat
