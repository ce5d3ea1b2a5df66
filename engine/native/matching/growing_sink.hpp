// A sink that keeps all events, in memory that grows as needed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class GrowingSink {
  public:
    struct Free {
        void operator()(Event* events) const { std::free(events); }
    };
    using Events = std::unique_ptr<Event[], Free>;

    /// Allocate room for this many events. Throws std::bad_alloc.
    static Events take(std::uint64_t capacity) {
        const std::uint64_t bytes = std::max<std::uint64_t>(capacity, 1) * sizeof(Event);
        auto* events = static_cast<Event*>(std::aligned_alloc(alignof(Event), bytes));
        if (events == nullptr) throw std::bad_alloc();
        return Events(events);
    }

    /// Starts with this capacity in events; untouched memory costs nothing.
    explicit GrowingSink(std::uint64_t capacity)
        : events_(capacity == 0 ? Events() : take(capacity)), capacity_(capacity) {}
    /// Starts in this memory, which has room for so many.
    GrowingSink(Events memory, std::uint64_t capacity) : events_(std::move(memory)), capacity_(capacity) {}
    /// Leaves `from` empty and usable.
    GrowingSink(GrowingSink&& from) noexcept
        : events_(std::move(from.events_)),
          capacity_(std::exchange(from.capacity_, 0)),
          count_(std::exchange(from.count_, 0)) {}
    GrowingSink& operator=(GrowingSink&&) = delete;
    GrowingSink(const GrowingSink&) = delete;
    GrowingSink& operator=(const GrowingSink&) = delete;
    ~GrowingSink() = default;

    LOWLAT_INLINE Event& next() {
        if (unlikely(count_ == capacity_)) grow();
        return events_[count_++];
    }
    std::uint64_t count() const { return count_; }
    std::uint64_t capacity() const { return capacity_; }

    /// Make room for this many more events. Throws std::bad_alloc, and then keeps all events so far.
    LOWLAT_INLINE void reserve(std::uint64_t more) {
        if (unlikely(capacity_ - count_ < more)) enlarge(std::max(capacity_ * 2, count_ + more));
    }

    /// A copy of the events, in memory of their size. Throws std::bad_alloc.
    Events copy() const {
        Events same = take(count_);
        if (count_ != 0) std::memcpy(static_cast<void*>(same.get()), events_.get(), count_ * sizeof(Event));
        return same;
    }

    /// The events, which stay the sink's.
    Event* events() { return events_.get(); }

    /// The events, in memory for `capacity()` of them.
    Events release() {
        capacity_ = 0;
        count_ = 0;
        return std::move(events_);
    }

    /// Give back the memory after the events.
    void shrink() {
        const std::uint64_t enough = std::max<std::uint64_t>(count_, 1);
        void* const cut = std::realloc(static_cast<void*>(events_.get()), enough * sizeof(Event));
        if (cut == nullptr) return;
        static_cast<void>(events_.release());
        events_.reset(static_cast<Event*>(cut));
        capacity_ = enough;
    }

    void clear() { count_ = 0; }

  private:
    LOWLAT_COLD void grow() { enlarge(std::max<std::uint64_t>(capacity_ * 2, 1)); }

    LOWLAT_COLD void enlarge(std::uint64_t capacity) {
        Events larger = take(capacity);
        if (count_ != 0) std::memcpy(static_cast<void*>(larger.get()), events_.get(), count_ * sizeof(Event));
        events_ = std::move(larger);
        capacity_ = capacity;
    }

    Events events_;
    std::uint64_t capacity_;
    std::uint64_t count_ = 0;
};

}  // namespace lowlat
