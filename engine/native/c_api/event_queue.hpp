// Queue of events from the matcher until the caller takes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/native/matching/growing_sink.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// A sink that keeps events until they are taken. Never shrinks its capacity.
class EventQueue {
  public:
    /// Where the matcher writes its next event. Throws std::bad_alloc, and then keeps all events so far.
    LOWLAT_INLINE Event& next() {
        if (unlikely(end_ == capacity_)) make_room();
        return events_[end_++];
    }

    std::uint64_t held() const { return end_ - first_; }

    /// Move the oldest events, at most `room`, to `to`. Returns their number.
    std::uint64_t take(void* to, std::uint64_t room) {
        const std::uint64_t count = std::min(room, held());
        if (count != 0) std::memcpy(to, &events_[first_], count * sizeof(Event));
        first_ += count;
        if (first_ == end_) clear();  // restart at the front, which is in cache
        return count;
    }

    /// Drop the events of the latest command.
    void drop(std::uint64_t sequence) {
        while (end_ != first_ && events_[end_ - 1].sequence == sequence) --end_;
    }

    void clear() {
        first_ = 0;
        end_ = 0;
    }

  private:
    /// Make at least half of the capacity free.
    LOWLAT_COLD void make_room() {
        const std::uint64_t count = held();
        if (2 * count <= capacity_) {
            std::memmove(static_cast<void*>(events_.get()), &events_[first_], count * sizeof(Event));
        } else {
            GrowingSink::Events larger = GrowingSink::take(2 * capacity_);
            std::memcpy(static_cast<void*>(larger.get()), &events_[first_], count * sizeof(Event));
            events_ = std::move(larger);
            capacity_ *= 2;
        }
        first_ = 0;
        end_ = count;
    }

    static constexpr std::uint64_t capacity_at_first = 1024;

    std::uint64_t capacity_ = capacity_at_first;
    GrowingSink::Events events_ = GrowingSink::take(capacity_at_first);
    std::uint64_t first_ = 0;
    std::uint64_t end_ = 0;
};

}  // namespace lowlat
