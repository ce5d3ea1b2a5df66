// The blocks of a journal, as specified in docs/journal.md.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// A position between two blocks: where the next one goes, and what it continues.
struct JournalPosition {
    std::uint64_t end = 0;  // offset in the file
    std::uint64_t blocks = 0;
    std::uint64_t sequence = 0;  // of the next command
    std::uint32_t chain = 0;     // head_checksum of the last block

    void pass(const BlockHead& head) {
        end += whole_bytes(head);
        ++blocks;
        sequence += commands_in(head);
        chain = head.head_checksum;
    }
};

/// A block that continues from `place`. `payload`: `bytes` bytes, at most block_bytes_max.
inline BlockHead block_head(const JournalPosition& place, BlockKind kind, const void* payload, std::size_t bytes) {
    BlockHead head{.magic = block_magic,
                   .bytes = static_cast<std::uint32_t>(bytes),
                   .sequence = place.sequence,
                   .previous = place.chain,
                   .kind = kind,
                   .zero = 0,
                   .payload_checksum = crc32c(payload, bytes),
                   .head_checksum = 0};
    head.head_checksum = checksum_of(head);
    return head;
}

}  // namespace lowlat
