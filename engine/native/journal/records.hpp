// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// What a journal's blocks hold, and what may be wrong with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// When a journal is made to reach the disk.
enum class SyncPolicy : std::uint8_t {
    none = 0,      // When the kernel likes.
    interval = 1,  // Every so often, by a thread.
    batch = 2,     // Before a batch is executed.
};

/// What a block of a journal holds.
enum class BlockKind : std::uint8_t {
    commands = 1,           // Commands without terms, 32 bytes each.
    extended_commands = 2,  // Commands with terms, 64 bytes each.
    drain = 3,              // Nothing: the trade tape was emptied there.
};

/// Why reading a journal ended. All but JournalFault::none and JournalFault::torn is damage.
enum class JournalFault : std::uint8_t {
    none = 0,      // At the end: behind it is nothing, or zeros, which some file systems leave.
    torn = 1,      // Within a batch that was being written.
    head = 2,      // A block's head does not match its checksum.
    payload = 3,   // A block's commands do not match their checksum.
    chain = 4,     // A block does not follow the one before.
    sequence = 5,  // A block's commands do not follow those before.
    kind = 6,      // A block is of no known kind or length.
    end = 7,       // A block's end is not as it was written.
    cut = 8,       // A segment does not lead to the next one.
};

/// What stands in front of a journal's commands (docs/journal.md).
struct BlockHead {
    std::uint32_t magic;     // `LLJB` in memory.
    std::uint32_t bytes;     // Of the payload.
    std::uint64_t sequence;  // Of the first command.
    std::uint64_t unsynced;  // Bytes before the block that were not known to be on the disk when it was written.
    std::uint32_t previous;  // `head_checksum` of the block before.
    BlockKind kind;
    std::uint8_t more;               // 1: its batch continues in the next block.
    std::uint16_t zero_sectors;      // How many whole sectors of its payload may be zeros, even with one flipped bit.
    std::uint32_t payload_checksum;  // CRC-32C of the payload.
    std::uint32_t head_checksum;     // CRC-32C of the 36 bytes before.
};
static_assert(sizeof(BlockHead) == 40);
static_assert(alignof(BlockHead) == 8);
static_assert(offsetof(BlockHead, magic) == 0);
static_assert(offsetof(BlockHead, bytes) == 4);
static_assert(offsetof(BlockHead, sequence) == 8);
static_assert(offsetof(BlockHead, unsynced) == 16);
static_assert(offsetof(BlockHead, previous) == 24);
static_assert(offsetof(BlockHead, kind) == 28);
static_assert(offsetof(BlockHead, more) == 29);
static_assert(offsetof(BlockHead, zero_sectors) == 30);
static_assert(offsetof(BlockHead, payload_checksum) == 32);
static_assert(offsetof(BlockHead, head_checksum) == 36);

}  // namespace lowlat
