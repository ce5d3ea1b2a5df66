// The blocks of a journal, as specified in docs/journal.md.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/native/journal/crc32c.hpp"
#include "engine/native/journal/records.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// After the payload: never zero, which distinguishes a completely written block from an incomplete one.
struct BlockEnd {
    std::uint32_t magic;
    std::uint32_t head_checksum;
};
static_assert(sizeof(BlockEnd) == 8);

inline constexpr std::uint32_t block_magic = 0x424A'4C4C;  // "LLJB"
inline constexpr std::uint32_t end_magic = 0x454A'4C4C;    // "LLJE"
inline constexpr std::uint64_t block_bytes_max = std::uint64_t{1} << 20;

template <typename Record>
inline constexpr BlockKind block_kind_of =
    std::is_same_v<Record, ExtendedCommand> ? BlockKind::extended_commands : BlockKind::commands;

inline std::uint32_t checksum_of(const BlockHead& head) {
    return crc32c(&head, offsetof(BlockHead, head_checksum));
}

/// Number of commands in a block of this kind.
inline std::uint64_t commands_in(const BlockHead& head) {
    switch (head.kind) {
        case BlockKind::commands:
            return head.bytes / sizeof(Command);
        case BlockKind::extended_commands:
            return head.bytes / sizeof(ExtendedCommand);
        default:
            return 0;
    }
}

inline std::uint64_t whole_bytes(const BlockHead& head) {
    return sizeof(BlockHead) + head.bytes + sizeof(BlockEnd);
}

/// What a disk writes whole or not at all, bytes.
inline constexpr std::uint64_t sector_bytes = 512;

inline std::uint64_t next_sector(std::uint64_t offset) {
    return (offset + sector_bytes - 1) / sector_bytes * sector_bytes;
}

/// How many bits are set in a sector, but 2 for more than one: commands have many in the first words.
inline int bits_up_to_two(const std::byte* sector) {
    int bits = 0;
    for (std::uint64_t at = 0; at < sector_bytes && bits < 2; at += sizeof(std::uint64_t)) {
        std::uint64_t word;
        std::memcpy(&word, sector + at, sizeof word);
        bits += std::popcount(word);
    }
    return std::min(bits, 2);
}

/// How many sectors that lie whole within the payload may be zeros although all were written: those that are, and one
/// more if a flipped bit makes another so. All other sectors of a block hold one of its magic numbers or checksums.
/// `offset`: of the payload in the file.
inline std::uint16_t natural_zero_sectors(const void* payload, std::uint64_t offset, std::uint64_t bytes) {
    const auto* const first = static_cast<const std::byte*>(payload);
    std::uint16_t zeros = 0;
    bool one_bit = false;
    for (std::uint64_t at = next_sector(offset); at + sector_bytes <= offset + bytes; at += sector_bytes) {
        const int bits = bits_up_to_two(first + (at - offset));
        zeros = static_cast<std::uint16_t>(zeros + (bits == 0));
        one_bit = one_bit || bits == 1;
    }
    return static_cast<std::uint16_t>(zeros + one_bit);
}

/// A position between two blocks: where the next one goes, and what it continues.
struct JournalPosition {
    std::uint64_t end = 0;  // offset in the segment's file
    std::uint64_t blocks = 0;
    std::uint64_t sequence = 0;  // of the next command
    std::uint32_t chain = 0;     // head_checksum of the last block
    std::uint32_t segment = 1;

    void pass(const BlockHead& head) {
        end += whole_bytes(head);
        ++blocks;
        sequence += commands_in(head);
        chain = head.head_checksum;
    }
};

/// `more`: its batch continues in the next block.
struct BlockType {
    BlockKind kind;
    bool more;
};

/// A block that continues from `place`. `payload`: `bytes` bytes, at most block_bytes_max.
inline BlockHead block_head(const JournalPosition& place, BlockType type, std::uint64_t unsynced, const void* payload,
                            std::size_t bytes) {
    BlockHead head{.magic = block_magic,
                   .bytes = static_cast<std::uint32_t>(bytes),
                   .sequence = place.sequence,
                   .unsynced = unsynced,
                   .previous = place.chain,
                   .kind = type.kind,
                   .more = type.more,
                   .zero_sectors = natural_zero_sectors(payload, place.end + sizeof(BlockHead), bytes),
                   .payload_checksum = crc32c(payload, bytes),
                   .head_checksum = 0};
    head.head_checksum = checksum_of(head);
    return head;
}

}  // namespace lowlat
