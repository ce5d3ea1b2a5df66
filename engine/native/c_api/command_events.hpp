// Sinks without a queue: the events of one command until they are handed over, and an array of the reader's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/native/c_api/event_queue.hpp"
#include "engine/native/matching/growing_sink.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Holds the events of the latest command, always from its first address on, which stays in the L1 cache. Grows for a
/// command with more events than any before it; never shrinks.
class CommandEvents {
  public:
    CommandEvents() { std::memset(static_cast<void*>(first_.get()), 0, capacity_at_first * sizeof(Event)); }
    CommandEvents(const CommandEvents&) = delete;
    CommandEvents& operator=(const CommandEvents&) = delete;

    /// Throws std::bad_alloc.
    LOWLAT_INLINE Event& next() {
        if (unlikely(next_ == end_)) grow();
        return *next_++;
    }

    LOWLAT_INLINE void clear() { next_ = first_.get(); }

    /// Call `hand(const Event&)` for each. There is one at least: every command has an event.
    template <typename Hand>
    LOWLAT_INLINE void hand_over(Hand& hand) const {
        const Event* const end = next_;
        const Event* event = first_.get();
        do hand(*event);
        while (++event != end);
    }

  private:
    LOWLAT_COLD void grow() {
        const auto count = static_cast<std::uint64_t>(next_ - first_.get());
        GrowingSink::Events larger = GrowingSink::take(2 * count);
        std::memcpy(static_cast<void*>(larger.get()), first_.get(), count * sizeof(Event));
        first_ = std::move(larger);
        next_ = first_.get() + count;
        end_ = next_ + count;
    }

    static constexpr std::uint64_t capacity_at_first = 1024;

    GrowingSink::Events first_ = GrowingSink::take(capacity_at_first);
    Event* next_ = first_.get();
    Event* end_ = first_.get() + capacity_at_first;
};

/// Writes events where the reader has room for them, and queues the rest.
class EventsInPlace {
  public:
    /// Begins with the events that are queued already.
    EventsInPlace(Event* events, std::size_t room, EventQueue& rest)
        : begin_(events), next_(events + rest.take(events, room)), end_(events + room), rest_(rest) {}

    /// Throws std::bad_alloc, and then keeps all events so far.
    LOWLAT_INLINE Event& next() { return unlikely(full()) ? rest_.next() : *next_++; }
    LOWLAT_INLINE bool full() const { return next_ == end_; }
    std::size_t written() const { return static_cast<std::size_t>(next_ - begin_); }

    /// Drop the events of the latest command.
    void drop(std::uint64_t sequence) {
        rest_.drop(sequence);
        while (next_ != begin_ && next_[-1].sequence == sequence) --next_;
    }

  private:
    Event* begin_;
    Event* next_;
    Event* end_;
    EventQueue& rest_;
};

}  // namespace lowlat
