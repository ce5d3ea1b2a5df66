// Over a journal's blocks, one after another, as far as they can be trusted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/journal_block.hpp"

namespace lowlat {

/// Why a walk ended. `none`: at the end, behind which there is nothing, or zeros, which some file systems leave.
/// `torn`: within a block that was being written. The others: damage.
enum class JournalFault : std::uint8_t { none, torn, head, payload, chain, sequence, kind, end };

/// The blocks of `bytes` bytes at `data`, the whole file.
class JournalReader {
  public:
    JournalReader(const std::byte* data, std::uint64_t bytes) : data_(data), bytes_(bytes) {}

    /// Call `visit(head, payload)` for every block from `place` on that can be trusted; `place` moves behind the last.
    template <typename Visit>
    JournalFault walk(JournalPlace& place, Visit visit) const {
        while (!zeros(place.end)) {
            BlockHead head;
            const JournalFault fault = read(place, head);
            if (fault != JournalFault::none) return fault;
            visit(head, data_ + place.end + sizeof head);
            place.pass(head);
        }
        return JournalFault::none;
    }

  private:
    JournalFault read(const JournalPlace& place, BlockHead& head) const {
        const std::uint64_t left = bytes_ - place.end;
        if (left < sizeof head) return JournalFault::torn;
        std::memcpy(&head, data_ + place.end, sizeof head);
        if (checksum_of(head) != head.head_checksum)
            return zeros(place.end + offsetof(BlockHead, head_checksum)) ? JournalFault::torn : JournalFault::head;
        if (const JournalFault fault = why_not(head, place); fault != JournalFault::none) return fault;
        const std::uint64_t end_at = place.end + whole_bytes(head) - sizeof(BlockEnd);
        if (left < whole_bytes(head) || zeros(end_at)) return JournalFault::torn;
        if (crc32c(data_ + place.end + sizeof head, head.bytes) != head.payload_checksum) return JournalFault::payload;
        BlockEnd end;
        std::memcpy(&end, data_ + end_at, sizeof end);
        const bool whole = end.magic == end_magic && end.head_checksum == head.head_checksum;
        return whole ? JournalFault::none : JournalFault::end;
    }

    /// A head that is as it was written may still not belong here.
    static JournalFault why_not(const BlockHead& head, const JournalPlace& place) {
        if (head.magic != block_magic || head.zero != 0 || head.bytes > block_bytes_max || !filled(head))
            return JournalFault::kind;
        if (head.previous != place.chain) return JournalFault::chain;
        return head.sequence == place.sequence ? JournalFault::none : JournalFault::sequence;
    }

    static bool filled(const BlockHead& head) {
        switch (head.kind) {
            case BlockKind::commands:
                return head.bytes != 0 && head.bytes % sizeof(Command) == 0;
            case BlockKind::wide_commands:
                return head.bytes != 0 && head.bytes % sizeof(WideCommand) == 0;
            case BlockKind::drain:
                return head.bytes == 0;
            default:
                return false;
        }
    }

    /// Whether the file has nothing but zeros from there on.
    bool zeros(std::uint64_t from) const {
        return std::all_of(data_ + from, data_ + bytes_, [](std::byte byte) { return byte == std::byte{0}; });
    }

    const std::byte* data_;
    std::uint64_t bytes_;
};

}  // namespace lowlat
