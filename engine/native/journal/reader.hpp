// Walks the batches of a journal's segment as far as they can be trusted.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/journal/block.hpp"
#include "engine/native/journal/file_window.hpp"
#include "engine/native/journal/records.hpp"

namespace lowlat {

/// Where and why a walk ended. `at`: at the block that cannot be trusted, or at the end.
struct JournalStop {
    JournalFault fault;
    JournalPosition at;
};

/// The first `bytes` bytes of a segment; the descriptor stays its owner's.
class JournalReader {
  public:
    JournalReader(int file, std::uint64_t bytes) : window_(file, bytes) {}

    /// Call `visit(head, payload)` for every block of every batch from `place` on that can be trusted whole, until one
    /// ends at `until` or later; `place` moves past the last. Throws JournalReadError.
    template <typename Visit>
    JournalStop walk(JournalPosition& place, std::uint64_t until, Visit visit) {
        while (place.end < until && !only_zeros_from(place.end)) {
            JournalPosition behind = place;
            const JournalFault fault = pass_batch(behind);
            if (fault != JournalFault::none) return {fault, behind};
            const bool several = behind.blocks != place.blocks + 1;
            while (place.end < behind.end) {
                const BlockHead head = head_at(place.end);
                // A long batch is read a second time.
                if (several && examine(place, head) != JournalFault::none) throw JournalReadError(EIO);
                visit(head, window_.at(place.end, whole_bytes(head)) + sizeof head);
                place.pass(head);
            }
        }
        return {JournalFault::none, place};
    }

  private:
    /// Move past the next batch, or to its first block that cannot be trusted.
    JournalFault pass_batch(JournalPosition& place) {
        for (;;) {
            if (window_.bytes() - place.end < sizeof(BlockHead)) return JournalFault::torn;
            const BlockHead head = head_at(place.end);
            const JournalFault fault = examine(place, head);
            if (fault != JournalFault::none) return unwritten(place.end, head, fault) ? JournalFault::torn : fault;
            place.pass(head);
            if (head.more == 0) return fault;
        }
    }

    JournalFault examine(const JournalPosition& place, const BlockHead& head) {
        if (checksum_of(head) != head.head_checksum) return JournalFault::head;
        if (const JournalFault fault = why_not(head, place); fault != JournalFault::none) return fault;
        if (window_.bytes() - place.end < whole_bytes(head)) return JournalFault::torn;
        const std::byte* payload = window_.at(place.end, whole_bytes(head)) + sizeof head;
        if (crc32c(payload, head.bytes) != head.payload_checksum) return JournalFault::payload;
        BlockEnd end;
        std::memcpy(&end, payload + head.bytes, sizeof end);
        const bool whole = end.magic == end_magic && end.head_checksum == head.head_checksum;
        return whole ? JournalFault::none : JournalFault::end;
    }

    BlockHead head_at(std::uint64_t at) {
        BlockHead head;
        std::memcpy(&head, window_.at(at, sizeof head), sizeof head);
        return head;
    }

    /// An intact head may still not belong at this position.
    static JournalFault why_not(const BlockHead& head, const JournalPosition& place) {
        if (head.magic != block_magic || head.more > 1 || head.bytes > block_bytes_max || !filled(head))
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

    // -- what a power failure leaves ----------------------------------------------------------------------------------

    /// Whether part of this block never reached the disk, as after a power failure, and no later block says that it
    /// was known to. One flipped bit never looks like that.
    bool unwritten(std::uint64_t block, const BlockHead& head, JournalFault fault) {
        switch (fault) {
            case JournalFault::head:
                return loses_head(block) && !synced(block);
            case JournalFault::payload:
            case JournalFault::end:
                return loses_sectors(block, head) && !synced(block);
            default:
                return false;
        }
    }

    /// Each of the one or two sectors that the head lies in holds its magic number or its checksums.
    bool loses_head(std::uint64_t block) {
        const std::uint64_t sums = block + sizeof(BlockHead) - sizeof(BlockEnd);
        return zeros(block, block + sizeof(BlockEnd)) || zeros(sums, sums + sizeof(BlockEnd));
    }

    /// Whether the block's end is zeros, or more sectors of its payload are than its commands and a flipped bit make
    /// so.
    bool loses_sectors(std::uint64_t block, const BlockHead& head) {
        const std::uint64_t payload = block + sizeof head;
        const std::uint64_t end = payload + head.bytes;
        if (zeros(end, end + sizeof(BlockEnd))) return true;
        std::uint64_t count = 0;
        for (std::uint64_t at = next_sector(payload); at + sector_bytes <= end; at += sector_bytes)
            if (zeros(at, at + sector_bytes)) ++count;
        return count > head.zero_sectors;
    }

    /// Whether a whole head further on says that this block was on the disk before it was written.
    bool synced(std::uint64_t block) {
        for (std::uint64_t at = block + sizeof(BlockEnd); at + sizeof(BlockHead) <= window_.bytes();
             at = behind_hole(at + sizeof(BlockEnd))) {
            const BlockHead head = head_at(at);
            if (head.magic == block_magic && checksum_of(head) == head.head_checksum && at - head.unsynced > block)
                return true;
        }
        return false;
    }

    /// Some file systems leave zeros after a power failure: they are not a block.
    bool only_zeros_from(std::uint64_t at) {
        while (at < window_.bytes()) {
            const std::uint64_t end = std::min((at / hole_bytes + 1) * hole_bytes, window_.bytes());
            if (!zeros(at, end)) return false;
            at = behind_hole(end);
        }
        return true;
    }

    /// So far apart are the places where a hole of the file is looked for: reading one takes as long as reading zeros.
    static constexpr std::uint64_t hole_bytes = std::uint64_t{1} << 20;

    std::uint64_t behind_hole(std::uint64_t at) const { return at % hole_bytes == 0 ? window_.data_from(at) : at; }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a range, in its order
    bool zeros(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t at = from; at < to;) {
            const std::uint64_t count = std::min(to - at, sector_bytes);
            const std::byte* part = window_.at(at, count);
            if (std::any_of(part, part + count, [](std::byte byte) { return byte != std::byte{0}; })) return false;
            at += count;
        }
        return true;
    }

    FileWindow window_;
};

}  // namespace lowlat
