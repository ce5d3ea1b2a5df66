// Batches in memory that others may write to at any time. Commands are copied before they are looked at, so that what
// was checked or written to a journal is what is executed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/native/matching/matcher.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/untrusted.hpp"

namespace lowlat {

/// A batch that is copied a block at a time.
template <typename Record>
class CopiedBatch {
  public:
    /// 4 KiB, which stay in the L1 cache.
    static constexpr std::uint64_t block_commands = 4096 / sizeof(Record);

    CopiedBatch(Matcher& matcher, const Record* commands, std::uint64_t count)
        : matcher_(matcher), commands_(commands), count_(count) {
        matcher_.begin_batch(block_, copy(), ahead_);
    }
    CopiedBatch(const CopiedBatch&) = delete;
    CopiedBatch& operator=(const CopiedBatch&) = delete;

    std::uint64_t executed() const { return executed_; }
    std::uint64_t left() const { return count_ - executed_; }

    /// Execute the next block_commands commands, or all that are left, as Matcher::execute_all does.
    template <typename Sink>
    void execute_block(Sink& sink) {
        const std::uint64_t copied = copy();
        const std::uint64_t count = std::min(copied, block_commands);
        for (std::uint64_t at = 0; at < count; at += part) {
            fetch_to_copy(executed_ + at + block_commands + part);
            matcher_.execute_part(block_ + at, {.count = std::min(part, count - at), .readable = copied - at}, ahead_,
                                  sink);
        }
        executed_ += count;
    }

  private:
    static constexpr std::uint64_t part = Matcher::fetch_slot;
    static_assert(block_commands % part == 0);

    /// Prefetch a part that will be copied with the next block: a copy cannot go on while it waits for memory.
    LOWLAT_INLINE void fetch_to_copy(std::uint64_t at) const {
        if (at + part > count_) return;
        constexpr std::uint64_t line_commands = 64 / sizeof(Record);  // in a cache line
        for (std::uint64_t in = 0; in < part; in += line_commands) prefetch_to_read(commands_ + at + in);
    }

    /// Copy the next block and the commands after it that it looks ahead at; return their number. Those are copied
    /// again, and may have changed, before they are executed.
    std::uint64_t copy() {
        const std::uint64_t copied = std::min(block_commands + part, left());
        copy_untrusted(block_, commands_ + executed_, copied);
        return copied;
    }

    Matcher& matcher_;
    const Record* commands_;
    std::uint64_t count_;
    std::uint64_t executed_ = 0;
    alignas(64) Record block_[block_commands + part];
    Matcher::Ahead ahead_[part];
};

/// Copies a batch as a whole, into memory that the next one reuses.
class BatchCopy {
  public:
    /// More than this is freed by the next batch.
    static constexpr std::uint64_t kept_bytes = std::uint64_t{1} << 20;

    /// Valid until the next call. Throws std::bad_alloc.
    template <typename Record>
    std::span<const Record> of(std::span<const Record> commands) {
        if (commands.empty()) return {};
        const std::uint64_t bytes = commands.size_bytes();
        if (bytes > bytes_ || bytes_ > kept_bytes) take(bytes);
        auto* const copied = reinterpret_cast<Record*>(memory_.get());
        copy_untrusted(copied, commands.data(), commands.size());
        return {copied, commands.size()};
    }

    /// Bytes of the memory.
    std::uint64_t held() const { return bytes_; }

  private:
    void take(std::uint64_t bytes) {
        memory_.reset();
        bytes_ = 0;
        memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
        bytes_ = bytes;
    }

    std::unique_ptr<std::byte[]> memory_;
    std::uint64_t bytes_ = 0;
};

}  // namespace lowlat
