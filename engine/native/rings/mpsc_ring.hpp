// Bounded queue of records from many producers to one consumer: orders on their way to the matcher.
//
// A producer claims a run of slots by moving the tail, fills them, then publishes the run with one store: `published`
// of its first slot becomes the index where the run ends. The consumer steps from run to run. Indices only ever grow,
// so an old word of that slot is never beyond the slot's present index, and "published" is one comparison, needs no
// reset and cannot be mistaken after a lap. A run costs one claim and one store, whatever its length.
//
// The claim is lock-free: it fails only when another producer's succeeds. The consumer waits for a producer that
// stopped between claim and publication; see stalled().
#pragma once

#include <span>

#include "engine/native/rings/ring_layout.hpp"

namespace lowlat {

template <typename Record>
class MpscRing : public RingView<Record, RingKind::mpsc> {
    using View = RingView<Record, RingKind::mpsc>;

  public:
    explicit MpscRing(void* block) : View(block), published_(this->published_words()) {}
    MpscRing(void* block, std::uint64_t capacity) : View(block, capacity), published_(this->published_words()) {}

    /// Any thread: appends as many of `count` records as fit, one after another and in order; how many that was. None
    /// once the ring is closed.
    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        std::uint64_t begin = 0;
        const std::uint64_t fitting = claim(count, begin);
        if (unlikely(fitting == 0)) return 0;
        this->copy_in(begin, records, fitting);
        // Release: the records are written before it; pairs with the acquire load in available().
        published(begin).store(begin + fitting, std::memory_order_release);
        return fitting;
    }

    LOWLAT_INLINE bool try_push(const Record& record) { return try_push(&record, 1) == 1; }

    /// Consumer: takes up to `count` records, those of each producer in the order of its pushes; how many that was.
    std::uint64_t try_pop(Record* records, std::uint64_t count) {
        const std::uint64_t head = own_head();
        const std::uint64_t taken = std::min(count, available(head, count));
        if (taken == 0) return 0;
        this->copy_out(head, records, taken);
        this->give_back(head, taken);
        return taken;
    }

    LOWLAT_INLINE bool try_pop(Record& record) { return try_pop(&record, 1) == 1; }

    /// Consumer: the next records where they lie, one after another in memory; `count` at most. They stay until
    /// release().
    std::span<const Record> peek(std::uint64_t count) const {
        const std::uint64_t head = own_head();
        return {&this->slot(head), this->contiguous(head, std::min(count, available(head, count)))};
    }

    /// Consumer: gives back the first `count` of the records peeked last.
    LOWLAT_INLINE void release(std::uint64_t count) { this->give_back(own_head(), count); }

    /// Any thread: refuse every later claim. Records claimed before it still arrive.
    void close() {
        // The mark is in the tail itself, so that each claim is either before it and counted, or refused.
        // Relaxed: nothing but the tail is decided.
        header_->tail.fetch_or(View::closed_bit, std::memory_order_relaxed);
    }

    /// Relaxed: see close().
    bool closed() const { return (header_->tail.load(std::memory_order_relaxed) & View::closed_bit) != 0; }

    /// Consumer: closed, and every record taken.
    bool finished() const {
        // Relaxed: once the mark is seen the tail is final, and each claim before it is waited for by its word.
        const std::uint64_t tail = header_->tail.load(std::memory_order_relaxed);
        return tail == (own_head() | View::closed_bit);
    }

    /// Consumer: the next slot was claimed and is not published. For a moment that is normal; if it lasts, a producer
    /// was stopped or killed in between, and no record behind it can be taken. stall_of() tells which.
    bool stalled() const {
        const std::uint64_t head = own_head();
        // Acquire: pairs with the claim's release; what its producer wrote before, its mark, is seen.
        const std::uint64_t tail = header_->tail.load(std::memory_order_acquire) & ~View::closed_bit;
        return tail != head && available(head, 1) == 0;
    }

  protected:
    using View::header_;

    /// Up to `count` slots from `begin` on, for the caller to fill; none when full or closed.
    LOWLAT_INLINE std::uint64_t claim(std::uint64_t count, std::uint64_t& begin) {
        // Relaxed: an old value only makes the claim fail.
        begin = header_->tail.load(std::memory_order_relaxed);
        for (;;) {
            if (unlikely((begin & View::closed_bit) != 0)) return 0;
            const std::uint64_t fitting = this->room(begin, count);
            if (unlikely(fitting == 0)) return 0;
            // Release: hands on the producer's mark (ring_ownership.hpp) to whoever sees the claim, stalled(). Else it
            // orders no memory, and so is relaxed on failure: that the slots are free came with the head in room(), and
            // that they are filled goes with the published word. Indices never come back, so an equal tail is the same.
            if (header_->tail.compare_exchange_weak(begin, begin + fitting, std::memory_order_release,
                                                    std::memory_order_relaxed))
                return fitting;
        }
    }

    LOWLAT_INLINE RingIndex& published(std::uint64_t index) const { return published_[index & this->mask_]; }

  private:
    /// Relaxed: only the consumer writes the head.
    std::uint64_t own_head() const { return header_->head.load(std::memory_order_relaxed); }

    /// Published records from `head` on: all of them, or at least `wanted`.
    LOWLAT_INLINE std::uint64_t available(std::uint64_t head, std::uint64_t wanted) const {
        // Relaxed: the consumer's own. What it says was acquired when it was written.
        const std::uint64_t known = header_->ready.load(std::memory_order_relaxed);
        std::uint64_t ready = known;
        while (ready - head < wanted) {
            // Acquire: pairs with the release in try_push(); the records of the run are whole.
            const std::uint64_t end = published(ready).load(std::memory_order_acquire);
            // Modulo 2^64, so that an older word, which ends at `ready` or before, is as far off as one that cannot be.
            if (end - ready - 1 >= this->capacity()) break;
            ready = end;
        }
        if (ready != known) header_->ready.store(ready, std::memory_order_relaxed);
        return std::min(ready - head, this->capacity());
    }

    RingIndex* published_;
};

}  // namespace lowlat
