// Appends to a journal, and has the disk keep it as the policy says. docs/journal.md states what each promises.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "engine/native/hints.hpp"
#include "engine/native/journal_block.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

enum class Sync : std::uint8_t { none = 0, interval = 1, batch = 2 };

/// The system would not write, or not keep, what was to be appended. Becomes a Python error.
class JournalWriteError : public std::runtime_error {
  public:
    JournalWriteError(const char* call, int error, bool taken_back)
        : std::runtime_error(call), error_number(error), whole(taken_back) {}

    int error_number;
    bool whole;  // the file ends where it did before: the journal may go on
};

/// One thread at a time. The descriptor, at the end of a journal that may be written, stays its opener's to close.
class JournalWriter {
  public:
    JournalWriter(int file, const JournalPlace& place, Sync sync, std::uint64_t interval_ns)
        : file_(file), place_(place), sync_(sync), interval_(interval_ns), reserved_(place.end) {
        if (sync_ == Sync::interval) syncing_ = std::thread([this, kept = place.end] { sync_at_intervals(kept); });
    }
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;
    ~JournalWriter() { stop_syncing(); }

    /// Append commands and commit them. Throws JournalWriteError; then none of them is in the journal if it is `whole`,
    /// and nobody knows if it is not.
    template <typename Record>
    void append(const Record* commands, std::uint64_t count) {
        constexpr std::uint64_t block_commands = block_bytes_max / sizeof(Record);
        if (count == 0) return;
        const JournalPlace before = place_;
        begin();
        for (std::uint64_t at = 0; at < count; at += block_commands)
            write_block(block_kind_of<Record>, commands + at, std::min(block_commands, count - at) * sizeof(Record),
                        before);
        commit();
    }

    /// The trade tape is about to be emptied.
    void append_drain() {
        const JournalPlace before = place_;
        begin();
        write_block(BlockKind::drain, nullptr, 0, before);
        commit();
    }

    /// Have the disk keep all that was appended, whatever the policy. Throws JournalWriteError.
    void sync() {
        begin();
        const std::lock_guard lock(mutex_);  // the interval's thread records how long it took, too
        sync_now();
    }

    /// The same, and give back room that was reserved. Nothing may be appended after.
    void close() {
        stop_syncing();
        if (error_.load(std::memory_order_relaxed) == 0 && sync_ != Sync::none) sync_now();
        // Where this fails, the room behind the end goes when the file does.
        [[maybe_unused]] const int given_back = ftruncate(file_, static_cast<off_t>(place_.end));
    }

    const JournalPlace& place() const { return place_; }
    /// Whether an earlier failure has ended it: every further append throws.
    bool broken() const { return error_.load(std::memory_order_acquire) != 0; }
    /// How long each fdatasync took, nanoseconds; of the interval's thread, once it has been stopped.
    const Histogram& syncs() const { return syncs_; }

  private:
    static constexpr std::uint64_t reserve_bytes = std::uint64_t{8} << 20;

    /// What an earlier failure left is no place to go on from.
    void begin() const {
        const int error = error_.load(std::memory_order_acquire);
        if (unlikely(error != 0)) throw JournalWriteError("fdatasync", error, false);
    }

    void write_block(BlockKind kind, const void* payload, std::uint64_t bytes, const JournalPlace& before) {
        const BlockHead head = block_head(place_, kind, payload, bytes);
        const BlockEnd last{end_magic, head.head_checksum};
        const std::uint64_t end = place_.end + whole_bytes(head);
        if (unlikely(end > reserved_)) reserve(end);
        // The system only reads through these; iovec has no const.
        Parts parts{iovec{const_cast<BlockHead*>(&head), sizeof head}, iovec{const_cast<void*>(payload), bytes},
                    iovec{const_cast<BlockEnd*>(&last), sizeof last}};
        for (std::uint64_t at = place_.end; at < end;) {
            const ssize_t written = pwritev(file_, parts.data(), parts.size(), static_cast<off_t>(at));
            if (unlikely(written < 0 && errno != EINTR)) take_back(before, errno);
            if (likely(written > 0)) at += advance(parts, static_cast<std::uint64_t>(written));
        }
        place_.pass(head);
    }

    using Parts = std::array<iovec, 3>;

    /// Leave out what was written, which is rarely less than all.
    static std::uint64_t advance(Parts& parts, std::uint64_t written) {
        std::uint64_t left = written;
        for (iovec& part : parts) {
            const std::uint64_t passed = std::min<std::uint64_t>(left, part.iov_len);
            part = {static_cast<std::byte*>(part.iov_base) + passed, part.iov_len - passed};
            left -= passed;
        }
        return written;
    }

    /// Ask for room on the disk in long runs, behind the file's end. Where that is not to be had, writing goes on
    /// without.
    LOWLAT_COLD void reserve(std::uint64_t end) {
        reserved_ = end + reserve_bytes;
#if defined(__linux__)
        [[maybe_unused]] const int reserved = fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(place_.end),
                                                        static_cast<off_t>(reserved_ - place_.end));
#endif
    }

    [[noreturn]] LOWLAT_COLD void take_back(const JournalPlace& before, int error) {
        const bool whole = ftruncate(file_, static_cast<off_t>(before.end)) == 0;
        if (whole) {
            place_ = before;
            reserved_ = before.end;
        } else {
            error_.store(error, std::memory_order_release);
        }
        throw JournalWriteError("write", error, whole);
    }

    LOWLAT_INLINE void commit() {
        if (sync_ == Sync::batch) sync_now();
        if (sync_ == Sync::interval) appended_.store(place_.end, std::memory_order_release);
    }

    void sync_now() {
        if (const int error = timed_sync(); unlikely(error != 0)) {
            error_.store(error, std::memory_order_release);
            throw JournalWriteError("fdatasync", error, false);
        }
    }

    int timed_sync() {
        const auto start = std::chrono::steady_clock::now();
#if defined(__APPLE__)
        const bool kept = fcntl(file_, F_FULLFSYNC) == 0;
#else
        const bool kept = fdatasync(file_) == 0;
#endif
        const int error = kept ? 0 : errno;
        const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
        syncs_.record(static_cast<std::uint64_t>(took.count()));
        return error;
    }

    // -- the thread of the interval -----------------------------------------------------------------------------------

    /// `kept`: what the disk has when it starts. The rest of the journal's place is the appending thread's.
    void sync_at_intervals(std::uint64_t kept) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, interval_, [this] { return stop_; })) {
            const std::uint64_t appended = appended_.load(std::memory_order_acquire);
            if (appended <= kept) continue;
            if (const int error = timed_sync(); error != 0) {
                error_.store(error, std::memory_order_release);
                return;
            }
            kept = appended;
        }
    }

    void stop_syncing() {
        if (!syncing_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_one();
        syncing_.join();
    }

    int file_;
    JournalPlace place_;
    Sync sync_;
    std::chrono::nanoseconds interval_;
    std::uint64_t reserved_;     // bytes of the file for which room was asked
    std::atomic<int> error_{0};  // of an fdatasync, or of taking back: the end of this journal
    Histogram syncs_;

    std::atomic<std::uint64_t> appended_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    std::thread syncing_;  // last: it starts when all else is there
};

}  // namespace lowlat
