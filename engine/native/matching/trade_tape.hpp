// The trade tape: the last executions, in a preallocated ring of records.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Records are acquired at the head and released from the tail, in order: O(1), without a free list.
class TradeTape {
  public:
    TradeTape() = default;
    TradeTape(Trade* records, std::uint64_t capacity) : records_(records), capacity_(capacity) {}

    bool full() const { return held_ == capacity_; }
    std::uint64_t room() const { return capacity_ - held_; }
    std::uint64_t held() const { return held_; }
    std::uint64_t capacity() const { return capacity_; }
    std::uint64_t recycled() const { return recycled_; }

    /// The next record; if full, the record of the oldest execution.
    LOWLAT_INLINE Trade& acquire() {
        Trade& record = records_[head_];
        if (unlikely(++head_ == capacity_)) head_ = 0;
        if (unlikely(full())) {
            ++recycled_;
        } else {
            ++held_;
        }
        return record;
    }

    /// Release every record; the next ones start at the front, which is in cache.
    std::uint64_t drain() {
        const std::uint64_t released = held_;
        head_ = 0;
        held_ = 0;
        return released;
    }

    /// Continue the numbering of another tape with the same records.
    void note_recycled(std::uint64_t recycled) { recycled_ = recycled; }

    void reset() {
        drain();
        recycled_ = 0;
    }

    /// Call `visit(record)`, oldest first.
    template <typename Visit>
    void for_each(Visit visit) const {
        std::uint64_t at = oldest();
        for (std::uint64_t left = held_; left > 0; --left) {
            visit(records_[at]);
            if (++at == capacity_) at = 0;
        }
    }

    /// Continue in a larger ring, in whose first records those of this one are by now.
    void grow(Trade* records, std::uint64_t capacity) {
        if (oldest() != 0) std::rotate(records, records + oldest(), records + capacity_);  // if some were recycled
        records_ = records;
        capacity_ = capacity;
        head_ = held_;
    }

  private:
    std::uint64_t oldest() const { return head_ >= held_ ? head_ - held_ : head_ + capacity_ - held_; }

    Trade* records_ = nullptr;
    std::uint64_t capacity_ = 0;
    std::uint64_t head_ = 0;
    std::uint64_t held_ = 0;
    std::uint64_t recycled_ = 0;
};

}  // namespace lowlat
