// How a book is published to readers: under the sequence lock of a mapped book, or under a mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/ablation/two_threads.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/shared_book/mapped_book.hpp"

namespace lowlat {

inline constexpr std::uint32_t published_levels = 10;

/// Readers copy again if the sequence says that the book changed meanwhile; the writer never waits.
class SequenceLocked {
  public:
    explicit SequenceLocked(BookMemory memory) : writer_(memory), reader_(memory) {}

    template <typename Change>
    void write(std::uint64_t command, Change change) {
        writer_.begin();
        change(writer_);
        writer_.end(command);
    }
    bool read(LevelRow* bids, LevelRow* asks, BookStamp& stamp) {
        return reader_.snapshot(published_levels, bids, asks, stamp);
    }

  private:
    BookWriter writer_;
    BookReader reader_;
};

/// Whoever has the lock is alone with the same book; its sequence never changes.
class MutexLocked {
  public:
    explicit MutexLocked(BookMemory memory) : writer_(memory), reader_(memory) {}

    template <typename Change>
    void write(std::uint64_t /*command*/, Change change) {
        const std::lock_guard held(mutex_);
        change(writer_);
    }
    bool read(LevelRow* bids, LevelRow* asks, BookStamp& stamp) {
        const std::lock_guard held(mutex_);
        return reader_.snapshot(published_levels, bids, asks, stamp);
    }

  private:
    std::mutex mutex_;
    BookWriter writer_;
    BookReader reader_;
};

/// Each operation publishes a level of each side, while the other thread copies the book without a pause.
template <typename Locked>
Pass publish_levels(const Trial& trial, unsigned other_cpu) {
    constexpr std::size_t bytes = sizeof(BookHeader) + std::size_t{2} * published_levels * sizeof(SharedLevel);
    LockedRegion region(LockedRegion::room_for<std::byte>(bytes));
    const BookMemory memory(region.take<std::byte>(bytes), published_levels);
    BookWriter(memory).open(1, 1);
    Locked locked(memory);
    std::atomic<bool> done{false};
    const auto read = [&] {
        LevelRow bids[published_levels], asks[published_levels];
        BookStamp stamp{};
        // Relaxed: it only ends the loop.
        while (!done.load(std::memory_order_relaxed)) use(locked.read(bids, asks, stamp));
    };
    const auto publish = [&](std::uint64_t at) {
        const auto position = static_cast<std::uint32_t>(at % published_levels);
        const LevelRow row{static_cast<std::int64_t>(at), at + 1, 1, 0};
        locked.write(at, [&](BookWriter& writer) {
            for (const Side side : {Side::buy, Side::sell}) {
                writer.set_level(side, position, row);
                writer.set_count(side, published_levels);
            }
        });
    };
    return measured_beside(trial, other_cpu, read, [&] {
        repeat_operations(trial, publish);
        done.store(true, std::memory_order_relaxed);
    });
}

inline Pass measure_book_publishing(const Trial& trial, unsigned other_cpu) {
    return trial.with ? publish_levels<SequenceLocked>(trial, other_cpu)
                      : publish_levels<MutexLocked>(trial, other_cpu);
}

}  // namespace lowlat
