// Appends to a journal, and syncs it to the disk according to the policy. docs/journal.md states the guarantees.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
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
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "engine/native/journal/block.hpp"
#include "engine/native/journal/records.hpp"
#include "engine/native/platform/compiler.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

/// The system could not write or sync the data to be appended. Becomes a Python error.
class JournalWriteError : public std::runtime_error {
  public:
    JournalWriteError(const char* call, int error, bool taken_back)
        : std::runtime_error(call), error_number(error), whole(taken_back) {}

    int error_number;
    bool whole;  // the file ends where it did before: the journal can continue
};

/// Whether a file is still there under its name and as long as its only writer left it. One system call.
class NamedFile {
  public:
    /// No `name`: a file without one, which is never missed.
    NamedFile(int file, std::string name) : name_(std::move(name)) { fstat(file, &facts_); }

    /// What happened to it, to follow its name; nullptr: nothing.
    const char* trouble(std::uint64_t bytes) const {
        if (name_.empty()) return nullptr;
        struct stat now{};
        if (stat(name_.c_str(), &now) != 0) return "was removed or renamed";
        if (now.st_ino != facts_.st_ino || now.st_dev != facts_.st_dev) return "was replaced by another file";
        const auto size = static_cast<std::uint64_t>(now.st_size);
        if (size == bytes) return nullptr;
        return size < bytes ? "was truncated" : "was written by somebody else";
    }

  private:
    std::string name_;
    struct stat facts_{};
};

/// For one thread at a time, in the process that created it: the copy in a forked child only releases its resources.
/// Owns the descriptor, which is at the end of a writable journal that is on the disk.
class JournalWriter {
  public:
    JournalWriter(int file, std::string name, const JournalPosition& place, SyncPolicy sync, std::uint64_t interval_ns)
        : file_(file),
          name_(file, std::move(name)),
          place_(place),
          sync_(sync),
          reserved_(place.end),
          synced_(place.end),
          process_(getpid()) {
        if (sync_ != SyncPolicy::interval) return;
        try {
            syncing_ = std::make_unique<Syncing>(*this, place.end, std::chrono::nanoseconds(interval_ns));
        } catch (...) {  // no thread, no memory: the file is ours already
            let_go();
            throw;
        }
    }
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;
    ~JournalWriter() {
        stop_syncing();
        let_go();
    }

    /// Append commands and commit them. Throws JournalWriteError; if that is `whole`, none of the commands is in the
    /// journal, otherwise their state is unknown.
    template <typename Record>
    void append(const Record* commands, std::uint64_t count) {
        constexpr std::uint64_t block_commands = block_bytes_max / sizeof(Record);
        if (count == 0) return;
        const JournalPosition before = place_;
        begin();
        for (std::uint64_t at = 0; at < count; at += block_commands)
            write_block({block_kind_of<Record>, count - at > block_commands}, commands + at,
                        std::min(block_commands, count - at) * sizeof(Record), before);
        commit();
    }

    /// Record that the trade tape is about to be drained.
    void append_drain() {
        const JournalPosition before = place_;
        begin();
        write_block({BlockKind::drain, false}, nullptr, 0, before);
        commit();
    }

    /// Sync everything appended to the disk, whatever the policy. Throws JournalWriteError.
    void sync() {
        begin();
        if (syncing_ == nullptr) return sync_now();
        const std::lock_guard lock(syncing_->mutex);  // its thread also records durations
        sync_now();
    }

    /// Sync everything and release the reserved disk space, before another segment takes its place. Throws
    /// JournalWriteError.
    void finish() {
        sync();
        give_back_room();
        reserved_ = place_.end;
    }

    /// The name of the file may not be on the disk: what is appended could be lost with it.
    void lose_name(int error) { end(error); }

    /// The engine's state no longer matches the journal: reject all further appends.
    void fall_out_of_step() { in_step_ = false; }

    /// With a policy other than none, sync everything; then close. Throws JournalWriteError if a sync fails or failed
    /// before.
    void close() {
        stop_syncing();
        if (!ours() || file_ < 0) return let_go();
        look_for_file();
        const int before = error_.load(std::memory_order_acquire);
        const int error = before != 0 || sync_ == SyncPolicy::none ? before : timed_sync();
        if (error == 0) give_back_room();
        let_go();
        if (error != 0) throw JournalWriteError("fdatasync", error, false);
    }

    const JournalPosition& place() const { return place_; }
    /// Whether commands can be appended: it is not closed, no failure has ended it, and this is not a forked child.
    bool open() const { return file_ >= 0 && in_step_ && error_.load(std::memory_order_acquire) == 0 && ours(); }
    bool closed() const { return file_ < 0; }
    bool in_step() const { return in_step_; }
    /// What somebody else did to the file, found when something was to be appended; nullptr: nothing.
    const char* trouble() const { return trouble_; }
    /// Duration of each fdatasync in nanoseconds; those of the interval thread only after it has stopped.
    const Histogram& syncs() const { return syncs_; }

  private:
    static constexpr std::uint64_t reserve_bytes = std::uint64_t{8} << 20;

    bool ours() const { return getpid() == process_; }

    /// If this fails, the space is released with the file.
    void give_back_room() { [[maybe_unused]] const int given = ftruncate(file_, static_cast<off_t>(place_.end)); }

    void let_go() {
        if (file_ >= 0) ::close(file_);
        file_ = -1;
    }

    /// The position after an earlier failure, in a forked child, or in a file that is no longer the journal, cannot be
    /// continued.
    void begin() {
        if (unlikely(file_ < 0 || !in_step_ || !ours())) throw JournalWriteError("write", EBADF, false);
        look_for_file();
        const int error = error_.load(std::memory_order_acquire);
        if (unlikely(error != 0)) throw JournalWriteError(trouble_ != nullptr ? "stat" : "fdatasync", error, false);
    }

    void look_for_file() {
        if (error_.load(std::memory_order_acquire) != 0) return;
        trouble_ = name_.trouble(place_.end);
        if (unlikely(trouble_ != nullptr)) end(ESTALE);
    }

    /// From here on, the content on the disk is unknown.
    void end(int error) { error_.store(error, std::memory_order_release); }

    void write_block(BlockType type, const void* payload, std::uint64_t bytes, const JournalPosition& before) {
        const std::uint64_t unsynced = place_.end - synced_.load(std::memory_order_relaxed);
        const BlockHead head = block_head(place_, type, unsynced, payload, bytes);
        const BlockEnd last{end_magic, head.head_checksum};
        const std::uint64_t end = place_.end + whole_bytes(head);
        if (unlikely(end > reserved_)) reserve(end);
        // The system call only reads through these; iovec has no const.
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

    /// Skip what was written, which is usually everything.
    static std::uint64_t advance(Parts& parts, std::uint64_t written) {
        std::uint64_t left = written;
        for (iovec& part : parts) {
            const std::uint64_t passed = std::min<std::uint64_t>(left, part.iov_len);
            part = {static_cast<std::byte*>(part.iov_base) + passed, part.iov_len - passed};
            left -= passed;
        }
        return written;
    }

    /// Preallocate disk space in large runs past the end of the file. Without support for that, writing continues
    /// normally.
    LOWLAT_COLD void reserve(std::uint64_t end) {
        reserved_ = end + reserve_bytes;
#if defined(__linux__)
        [[maybe_unused]] const int reserved = fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(place_.end),
                                                        static_cast<off_t>(reserved_ - place_.end));
#endif
    }

    [[noreturn]] LOWLAT_COLD void take_back(const JournalPosition& before, int error) {
        const bool cut = ftruncate(file_, static_cast<off_t>(before.end)) == 0;
        // Until the truncation is on the disk, a power failure may bring the blocks back, or mix them with later ones.
        const bool whole = cut && fdatasync(file_) == 0;
        if (whole) {
            place_ = before;
            reserved_ = before.end;
            synced_.store(before.end, std::memory_order_relaxed);
        } else {
            end(error);
        }
        throw JournalWriteError("write", error, whole);
    }

    LOWLAT_INLINE void commit() {
        if (sync_ == SyncPolicy::batch) sync_now();
        if (syncing_ != nullptr) syncing_->appended.store(place_.end, std::memory_order_release);
    }

    void sync_now() {
        if (const int error = timed_sync(); unlikely(error != 0)) {
            end(error);
            throw JournalWriteError("fdatasync", error, false);
        }
        synced_.store(place_.end, std::memory_order_relaxed);
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

    struct Syncing {
        Syncing(JournalWriter& writer, std::uint64_t before, std::chrono::nanoseconds interval)
            : appended(before), thread([this, &writer, interval] { run(writer, interval); }) {}

        /// Of the position, only `synced_` does not belong to the appending thread.
        void run(JournalWriter& writer, std::chrono::nanoseconds interval) {
            std::unique_lock lock(mutex);
            while (!wake.wait_for(lock, interval, [this] { return stop; })) {
                const std::uint64_t end = appended.load(std::memory_order_acquire);
                if (end <= writer.synced_.load(std::memory_order_relaxed)) continue;
                if (const int error = writer.timed_sync(); error != 0) return writer.end(error);
                writer.synced_.store(end, std::memory_order_relaxed);
            }
        }

        std::atomic<std::uint64_t> appended;
        std::mutex mutex;
        std::condition_variable wake;
        bool stop = false;
        std::thread thread;  // last: it starts after all other members are initialized
    };

    void stop_syncing() {
        if (syncing_ == nullptr) return;
        // A forked child lacks this thread, and its copy of the mutex is in an unknown state: leak it untouched.
        if (!ours()) return static_cast<void>(syncing_.release());
        {
            const std::lock_guard lock(syncing_->mutex);
            syncing_->stop = true;
        }
        syncing_->wake.notify_one();
        syncing_->thread.join();
        syncing_.reset();
    }

    int file_;
    NamedFile name_;
    const char* trouble_ = nullptr;
    JournalPosition place_;
    SyncPolicy sync_;
    std::uint64_t reserved_;             // preallocated bytes of the file
    std::atomic<std::uint64_t> synced_;  // bytes known to be on the disk, or fewer
    std::atomic<int> error_{0};          // see end()
    std::atomic<bool> in_step_{true};
    pid_t process_;
    Histogram syncs_;
    std::unique_ptr<Syncing> syncing_;
};

}  // namespace lowlat
