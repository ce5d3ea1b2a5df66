// Walks the blocks of a journal as far as they can be trusted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/journal/block.hpp"
#include "engine/native/journal/records.hpp"

namespace lowlat {

/// The blocks of `bytes` bytes at `data`, the whole file.
class JournalReader {
  public:
    JournalReader(const std::byte* data, std::uint64_t bytes) : data_(data), bytes_(bytes) {}

    /// Call `visit(head, payload)` for every block from `place` on that can be trusted; `place` moves past the last.
    template <typename Visit>
    JournalFault walk(JournalPosition& place, Visit visit) const {
        while (!zeros(place.end, bytes_)) {
            BlockHead head;
            const JournalFault fault = read(place, head);
            if (fault != JournalFault::none) return fault;
            visit(head, data_ + place.end + sizeof head);
            place.pass(head);
        }
        return JournalFault::none;
    }

  private:
    static constexpr std::uint64_t sector = 512;

    JournalFault read(const JournalPosition& place, BlockHead& head) const {
        const JournalFault fault = examine(place, head);
        const bool spoilt = fault == JournalFault::head || fault == JournalFault::payload || fault == JournalFault::end;
        return spoilt && unwritten(place.end) && !whole_head_behind(place.end) ? JournalFault::torn : fault;
    }

    JournalFault examine(const JournalPosition& place, BlockHead& head) const {
        const std::uint64_t left = bytes_ - place.end;
        if (left < sizeof head) return JournalFault::torn;
        head = head_at(place.end);
        if (checksum_of(head) != head.head_checksum) return JournalFault::head;
        if (const JournalFault fault = why_not(head, place); fault != JournalFault::none) return fault;
        if (left < whole_bytes(head)) return JournalFault::torn;
        const std::byte* payload = data_ + place.end + sizeof head;
        if (crc32c(payload, head.bytes) != head.payload_checksum) return JournalFault::payload;
        BlockEnd end;
        std::memcpy(&end, payload + head.bytes, sizeof end);
        const bool whole = end.magic == end_magic && end.head_checksum == head.head_checksum;
        return whole ? JournalFault::none : JournalFault::end;
    }

    BlockHead head_at(std::uint64_t at) const {
        BlockHead head;
        std::memcpy(&head, data_ + at, sizeof head);
        return head;
    }

    /// Whether part of the file from a block on never reached the disk, as after a power failure: a sector of zeros, a
    /// head of zeros, or zeros instead of the last block's trailer. Bit flips do not cause this.
    bool unwritten(std::uint64_t block) const {
        if (zeros(bytes_ - sizeof(BlockEnd), bytes_) || zeros(block, block + sizeof(BlockHead))) return true;
        for (std::uint64_t at = (block + sector - 1) / sector * sector; at + sector <= bytes_; at += sector)
            if (zeros(at, at + sector)) return true;
        return false;
    }

    /// Whether there is a valid head further on: then the corrupt part was not the last write.
    bool whole_head_behind(std::uint64_t block) const {
        for (std::uint64_t at = block + sizeof(BlockEnd); at + sizeof(BlockHead) <= bytes_; at += sizeof(BlockEnd)) {
            const BlockHead head = head_at(at);
            if (head.magic == block_magic && checksum_of(head) == head.head_checksum) return true;
        }
        return false;
    }

    /// An intact head may still not belong at this position.
    static JournalFault why_not(const BlockHead& head, const JournalPosition& place) {
        if (head.magic != block_magic || head.zero != 0 || head.bytes > block_bytes_max || !filled(head))
            return JournalFault::kind;
        if (head.previous != place.chain) return JournalFault::chain;
        return head.sequence == place.sequence ? JournalFault::none : JournalFault::sequence;
    }

    static bool filled(const BlockHead& head) {
        switch (head.kind) {
            case BlockKind::commands:
                return head.bytes != 0 && head.bytes % sizeof(Command) == 0;
            case BlockKind::extended_commands:
                return head.bytes != 0 && head.bytes % sizeof(ExtendedCommand) == 0;
            case BlockKind::drain:
                return head.bytes == 0;
            default:
                return false;
        }
    }

    bool zeros(std::uint64_t from, std::uint64_t to) const {
        return std::all_of(data_ + from, data_ + to, [](std::byte byte) { return byte == std::byte{0}; });
    }

    const std::byte* data_;
    std::uint64_t bytes_;
};

}  // namespace lowlat
