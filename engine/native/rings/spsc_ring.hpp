// Bounded queue of records for one producer and one consumer: market data from the matcher to its publisher.
//
// Each side keeps a copy of the other's index on a lane of its own and looks at the index itself only when the copy
// says full or empty; in steady flow the two indices are exchanged once a batch, not once a record. Wait-free on both
// sides.
#pragma once

#include <span>

#include "engine/native/rings/ring_layout.hpp"

namespace lowlat {

template <typename Record>
class SpscRing : public RingView<Record, RingKind::spsc> {
    using View = RingView<Record, RingKind::spsc>;

  public:
    using View::View;

    /// Producer: appends as many of `count` records as fit, in order; how many that was. None once the ring is closed.
    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        // Relaxed: only this thread writes the tail.
        const std::uint64_t tail = header_->tail.load(std::memory_order_relaxed);
        const std::uint64_t fitting = closed() ? 0 : this->room(tail, count);
        if (unlikely(fitting == 0)) return 0;
        this->copy_in(tail, records, fitting);
        commit(fitting);
        return fitting;
    }

    LOWLAT_INLINE bool try_push(const Record& record) { return try_push(&record, 1) == 1; }

    /// Producer: free slots to be written in place, one after another in memory; `count` at most, none when full.
    std::span<Record> reserve(std::uint64_t count) {
        // Relaxed: only this thread writes the tail.
        const std::uint64_t tail = header_->tail.load(std::memory_order_relaxed);
        const std::uint64_t fitting = closed() ? 0 : this->room(tail, count);
        return {&this->slot(tail), this->contiguous(tail, fitting)};
    }

    /// Producer: hands over the first `count` of the slots reserved last.
    LOWLAT_INLINE void commit(std::uint64_t count) {
        // Relaxed: only this thread writes the tail.
        const std::uint64_t tail = header_->tail.load(std::memory_order_relaxed);
        // Release: the records are written before it; pairs with the acquire load in available().
        header_->tail.store(tail + count, std::memory_order_release);
    }

    /// Consumer: takes up to `count` records, in the order of the pushes; how many that was.
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

    /// No more records will come. By the producer, after its last push: then the consumer gets all. By the consumer:
    /// the producer is refused from now on, and what it is pushing meanwhile stays unread.
    void close() {
        // Release: the pushes before it are seen by whoever sees it; pairs with the load in closed().
        header_->closed.store(1, std::memory_order_release);
    }

    /// Acquire: pairs with close().
    bool closed() const { return header_->closed.load(std::memory_order_acquire) != 0; }

    /// Consumer: closed, and every record taken.
    bool finished() const { return closed() && available(own_head(), 1) == 0; }

    /// Consumer: whether the next record was claimed but never published. Not here: both are one store.
    bool stalled() const { return false; }

  protected:
    using View::header_;

  private:
    /// Relaxed: only this thread writes the head.
    std::uint64_t own_head() const { return header_->head.load(std::memory_order_relaxed); }

    /// Published records from `head` on: all of them, or at least `wanted`.
    LOWLAT_INLINE std::uint64_t available(std::uint64_t head, std::uint64_t wanted) const {
        // Relaxed: the consumer's own. What it says was acquired when it was written.
        std::uint64_t ready = header_->ready.load(std::memory_order_relaxed);
        if (ready - head < wanted) {
            // Acquire: pairs with the release in commit(); the records before the tail are whole.
            ready = header_->tail.load(std::memory_order_acquire);
            header_->ready.store(ready, std::memory_order_relaxed);
        }
        return std::min(ready - head, this->capacity());
    }
};

}  // namespace lowlat
