// Room for the events of an engine that fills a buffer, between pages that nobody may touch.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "engine/native/foreign/call_watch.hpp"
#include "engine/native/foreign/lowlat_engine.h"
#include "engine/native/matching/sinks.hpp"

namespace lowlat {

class EventRoom {
  public:
    EventRoom() {
        void* const mapped = mmap(nullptr, bytes_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) throw std::bad_alloc();
        mapping_ = static_cast<std::byte*>(mapped);
        if (mprotect(mapping_ + page_, bytes_, PROT_READ | PROT_WRITE) != 0) {
            munmap(mapping_, bytes_ + 2 * page_);
            throw std::bad_alloc();
        }
        std::memset(mapping_ + page_, 0, bytes_);
        const auto behind = reinterpret_cast<std::uintptr_t>(mapping_ + page_ + bytes_);
        CallWatch::guard.start.store(behind, std::memory_order_relaxed);
        CallWatch::guard.end.store(behind + page_, std::memory_order_relaxed);
    }
    EventRoom(const EventRoom&) = delete;
    EventRoom& operator=(const EventRoom&) = delete;
    ~EventRoom() {
        CallWatch::guard.end.store(0, std::memory_order_relaxed);
        munmap(mapping_, bytes_ + 2 * page_);
    }

    /// How many events: as many as the ring has that our own engine writes, so that both use as much cache.
    static constexpr std::size_t size() { return ring_events; }
    Event* events() const { return reinterpret_cast<Event*>(mapping_ + page_); }
    lowlat_event* raw() const { return reinterpret_cast<lowlat_event*>(mapping_ + page_); }

  private:
    static constexpr std::size_t bytes_ = ring_events * sizeof(Event);
    static_assert(bytes_ % (std::size_t{64} << 10) == 0, "the end is a page's, whatever its size");

    const std::size_t page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::byte* mapping_ = nullptr;
};

}  // namespace lowlat
