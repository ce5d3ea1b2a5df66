// A book in shared memory: one writer, any number of readers in other processes, none of whom ever accepts a torn book.
//
//   0 identity  magic, version, sizes, tick, unit  |
//  64 identity  symbol, checksum                   |  written once, the magic last
// 128 writer    pid, start, generation, state         under the sequence
// 192 pulse     sequence, counts, command, heartbeat  the sequence itself, and what changes with every update
// 256 bids      depth levels of 32 bytes, best first  under the sequence
//     asks      the same
//
// One sequence for both sides: read under a sequence each, neither side would be torn, and the two together could
// still be crossed. A writer that dies between begin() and end() leaves the sequence odd, for all to see.
//
// This header only handles memory. engine/shared_book creates, checks, locks and maps the file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/shared_book/records.hpp"

// GCC warns that its thread sanitizer does not model fences. It need not: every shared word is atomic.
#if defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif

namespace lowlat {

inline constexpr std::uint64_t book_magic = 0x4B4F4F4254414C4C;  // "LLATBOOK" in memory: also tells the byte order
inline constexpr std::uint32_t book_version = 1;
inline constexpr std::uint32_t book_depth_max = 4096;  // levels per side

/// Size in bytes of a book with `depth` levels per side.
constexpr std::size_t book_bytes(std::uint32_t depth) {
    return sizeof(BookHeader) + 2 * std::size_t{depth} * sizeof(LevelRow);
}

/// Words in memory shared with other processes. Lock-free 64-bit atomics are address-free: they work across mappings.
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

LOWLAT_INLINE std::uint64_t load_word(const std::uint64_t& word, std::memory_order order = std::memory_order_relaxed) {
    // C++20 has no atomic_ref of const; a load does not write, so read-only mapped memory works.
    return std::atomic_ref(const_cast<std::uint64_t&>(word)).load(order);
}

LOWLAT_INLINE void store_word(std::uint64_t& word, std::uint64_t value,
                              std::memory_order order = std::memory_order_relaxed) {
    std::atomic_ref(word).store(value, order);
}

/// A level as words.
struct SharedLevel {
    std::uint64_t price;
    std::uint64_t quantity;
    std::uint64_t order_count;
    std::uint64_t zero;

    LOWLAT_INLINE LevelRow load() const {
        return {static_cast<std::int64_t>(load_word(price)), load_word(quantity), load_word(order_count), 0};
    }
    LOWLAT_INLINE void store(const LevelRow& row) {
        store_word(price, static_cast<std::uint64_t>(row.price));
        store_word(quantity, row.quantity);
        store_word(order_count, row.order_count);
    }
};
static_assert(sizeof(SharedLevel) == sizeof(LevelRow));

LOWLAT_INLINE bool same_level(const LevelRow& a, const LevelRow& b) {
    return ((static_cast<std::uint64_t>(a.price) ^ static_cast<std::uint64_t>(b.price)) | (a.quantity ^ b.quantity) |
            (a.order_count ^ b.order_count)) == 0;
}

/// The layout of a book's memory. `depth` is a parameter, not read from the memory, which another process can change.
class BookMemory {
  public:
    BookMemory(std::byte* start, std::uint32_t depth)
        : header_(reinterpret_cast<BookHeader*>(start)),
          levels_(reinterpret_cast<SharedLevel*>(start + sizeof(BookHeader))),
          depth_(depth) {}

    BookHeader& header() const { return *header_; }
    BookPulse& pulse() const { return header_->pulse; }
    BookOwner& owner() const { return header_->owner; }
    LOWLAT_INLINE SharedLevel* side(Side side) const { return levels_ + std::size_t{byte_of(side)} * depth_; }
    LOWLAT_INLINE std::uint64_t& count(Side side) const {
        return side == Side::buy ? header_->pulse.bids : header_->pulse.asks;
    }
    std::uint32_t depth() const { return depth_; }

  private:
    BookHeader* header_;
    SharedLevel* levels_;
    std::uint32_t depth_;
};

/// Write the identity to blank memory. The magic comes last: a reader that sees it sees the rest.
inline void format_book(std::byte* start, const BookIdentity& identity) {
    auto* to = reinterpret_cast<std::uint64_t*>(start);
    std::uint64_t words[sizeof(BookIdentity) / sizeof(std::uint64_t)];
    std::memcpy(words, &identity, sizeof words);
    for (std::size_t n = 1; n < std::size(words); ++n) store_word(to[n], words[n]);
    store_word(to[0], words[0], std::memory_order_release);
}

/// The only writer of a book; the file's lock excludes others. For one thread at a time.
class BookWriter {
  public:
    explicit BookWriter(BookMemory memory) : memory_(memory), sequence_(load_word(memory.pulse().sequence)) {}

    /// Take over the book: empties it and starts a new generation. Also repairs a sequence left odd by a killed writer.
    void open(std::uint64_t pid, std::uint64_t start) {
        begin();
        BookOwner& owner = memory_.owner();
        store_word(owner.pid, pid);
        store_word(owner.start, start);
        store_word(owner.generation, load_word(owner.generation) + 1);
        store_word(owner.state, static_cast<std::uint64_t>(BookState::live));
        set_count(Side::buy, 0);
        set_count(Side::sell, 0);
        end(0);
    }

    /// Mark the end of updates, with the reason.
    void close(BookState state) {
        begin();
        store_word(memory_.owner().state, static_cast<std::uint64_t>(state));
        end(load_word(memory_.pulse().command));
    }

    /// Readers reject the book from here to end(). Nothing may throw or block between the two.
    LOWLAT_INLINE void begin() {
        sequence_ |= 1;
        store_word(memory_.pulse().sequence, sequence_);
        // Keeps the stores to come behind the odd sequence: who reads one of them, then fences, reads the sequence odd.
        std::atomic_thread_fence(std::memory_order_release);
    }

    /// Between begin() and end(): `position` counts from the best level, 0 to depth - 1.
    LOWLAT_INLINE void set_level(Side side, std::uint32_t position, const LevelRow& row) {
        memory_.side(side)[position].store(row);
    }

    /// Between begin() and end(): set the number of levels on a side.
    LOWLAT_INLINE void set_count(Side side, std::uint32_t count) { store_word(memory_.count(side), count); }

    /// `command`: the source's number of the command that caused the change.
    LOWLAT_INLINE void end(std::uint64_t command) {
        store_word(memory_.pulse().command, command);
        ++sequence_;
        store_word(memory_.pulse().sequence, sequence_, std::memory_order_release);
    }

    /// Update the book to `source`, which can be any class with the `for_each_level` of a Matcher. `command` is the
    /// source's last. Unchanged levels are not written, so that their cache lines stay with the readers; an update that
    /// changes nothing does not touch the sequence. Returns whether anything changed.
    template <typename Source>
    bool publish(std::uint64_t command, const Source& source, std::uint32_t symbol) {
        bool changed = publish_side(source, symbol, Side::buy, false);
        changed = publish_side(source, symbol, Side::sell, changed);
        if (changed) end(command);
        return changed;
    }

    /// Say that the writer lives, in nanoseconds since 1970; also without an update, at any time. Times less than
    /// `heartbeat_ns` apart are not written, so that readers keep their cache line.
    void beat(std::uint64_t now_ns) {
        if (now_ns - beaten_ns_ < heartbeat_ns) return;
        beaten_ns_ = now_ns;
        // Relaxed: a word of its own, which orders nothing.
        store_word(memory_.pulse().heartbeat, now_ns);
    }

    static constexpr std::uint64_t heartbeat_ns = 10'000'000;

    std::uint32_t depth() const { return memory_.depth(); }
    std::uint64_t sequence() const { return sequence_; }
    const BookMemory& memory() const { return memory_; }

  private:
    template <typename Source>
    LOWLAT_INLINE bool publish_side(const Source& source, std::uint32_t symbol, Side side, bool begun) {
        const std::uint32_t depth = memory_.depth();
        SharedLevel* const levels = memory_.side(side);
        std::uint32_t at = 0;
        const auto begin_once = [&]() {
            if (!begun) begin();
            begun = true;
        };
        source.for_each_level(symbol, side, [&](const LevelRow& row) {
            // No other thread writes these words, so this one may compare them before begin().
            if (!same_level(levels[at].load(), row)) {
                begin_once();
                levels[at].store(row);
            }
            return ++at < depth;
        });
        if (load_word(memory_.count(side)) != at) {
            begin_once();
            set_count(side, at);
        }
        return begun;
    }

    BookMemory memory_;
    std::uint64_t sequence_;
    std::uint64_t beaten_ns_ = 0;
};

/// The fields of a snapshot other than its levels.
struct BookStamp {
    std::uint64_t sequence;
    std::uint64_t command;
    std::uint64_t generation;
    std::uint64_t pid;
    std::uint64_t heartbeat;  // nanoseconds since 1970; 0: never
    BookState state;
    std::uint32_t bids;  // number of levels copied
    std::uint32_t asks;
};

/// Reads a book that another process writes. For any number of threads.
class BookReader {
  public:
    explicit BookReader(BookMemory memory) : memory_(memory) {}

    /// Copy the best `levels` of both sides consistently. False if all `attempts`, each the time of one copy, met an
    /// update in progress: the writer is stopped, dead, or publishes without a pause.
    bool snapshot(std::uint32_t levels, LevelRow* bids, LevelRow* asks, BookStamp& stamp,
                  std::uint32_t attempts = attempts_default) const {
        for (std::uint32_t attempt = 0; attempt < attempts; ++attempt) {
            if (likely(try_snapshot(levels, bids, asks, stamp))) return true;
            pause();
        }
        return false;
    }

    /// The current sequence; odd during an update. Reads after it can be checked with `unchanged`.
    LOWLAT_INLINE std::uint64_t sequence() const {
        return load_word(memory_.pulse().sequence, std::memory_order_acquire);
    }

    /// Whether everything read since `sequence()` returned this even number belongs to one book.
    LOWLAT_INLINE bool unchanged(std::uint64_t sequence) const {
        // Keeps the loads before it from sinking below the second look at the sequence.
        std::atomic_thread_fence(std::memory_order_acquire);
        return (sequence & 1) == 0 && load_word(memory_.pulse().sequence) == sequence;
    }

    /// Number of levels on a side, at most `depth`, whatever the memory contains.
    LOWLAT_INLINE std::uint32_t count(Side side) const {
        const std::uint64_t count = load_word(memory_.count(side));
        return count < memory_.depth() ? static_cast<std::uint32_t>(count) : memory_.depth();
    }

    std::uint32_t depth() const { return memory_.depth(); }

    /// About 0.1 ms of attempts.
    static constexpr std::uint32_t attempts_default = 1000;

  private:
    LOWLAT_INLINE bool try_snapshot(std::uint32_t levels, LevelRow* bids, LevelRow* asks, BookStamp& stamp) const {
        const std::uint64_t begun = sequence();
        if ((begun & 1) != 0) return false;
        const BookOwner& owner = memory_.owner();
        stamp = {.sequence = begun,
                 .command = load_word(memory_.pulse().command),
                 .generation = load_word(owner.generation),
                 .pid = load_word(owner.pid),
                 .heartbeat = load_word(memory_.pulse().heartbeat),
                 .state = static_cast<BookState>(load_word(owner.state)),
                 .bids = copy(Side::buy, levels, bids),
                 .asks = copy(Side::sell, levels, asks)};
        return unchanged(begun);
    }

    LOWLAT_INLINE std::uint32_t copy(Side side, std::uint32_t levels, LevelRow* to) const {
        const std::uint32_t shown = count(side);
        const std::uint32_t copied = levels < shown ? levels : shown;
        const SharedLevel* from = memory_.side(side);
        for (std::uint32_t n = 0; n < copied; ++n) to[n] = from[n].load();
        return copied;
    }

    static LOWLAT_INLINE void pause() {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("isb" ::: "memory");
#endif
    }

    BookMemory memory_;
};

}  // namespace lowlat
