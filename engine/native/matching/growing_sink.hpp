// A sink that keeps all events, in memory that grows as needed.
#pragma once

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
        auto* events = static_cast<Event*>(std::aligned_alloc(alignof(Event), capacity * sizeof(Event)));
        if (events == nullptr) throw std::bad_alloc();
        return Events(events);
    }

    /// Starts with this capacity in events; untouched memory costs nothing.
    explicit GrowingSink(std::uint64_t capacity) : events_(take(capacity)), capacity_(capacity) {}

    LOWLAT_INLINE Event& next() {
        if (unlikely(count_ == capacity_)) grow();
        return events_[count_++];
    }
    std::uint64_t count() const { return count_; }
    Event* release() { return events_.release(); }

  private:
    LOWLAT_COLD void grow() {
        Events larger = take(capacity_ * 2);
        std::memcpy(static_cast<void*>(larger.get()), events_.get(), capacity_ * sizeof(Event));
        events_ = std::move(larger);
        capacity_ *= 2;
    }

    Events events_;
    std::uint64_t capacity_;
    std::uint64_t count_ = 0;
};

}  // namespace lowlat
