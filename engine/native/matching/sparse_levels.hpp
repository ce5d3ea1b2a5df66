// Levels outside a ladder's window: an ordered map whose nodes come from preallocated memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <new>
#include <utility>

#include "engine/native/matching/pool.hpp"

namespace lowlat {

/// Memory for the nodes of all sparse maps of one engine: one per possible level, so it is never exhausted.
class SparseRoom {
  public:
    struct alignas(16) Slot {
        union {
            Slot* next;
            std::byte bytes[48];
        };
    };

    /// Add `count` slots at `slots`.
    void add(Slot* slots, std::size_t count) {
        for (std::size_t at = count; at-- > 0;) give_back(slots + at);
    }

    void* take() {
        if (free_ == nullptr) broken("there is a far slot for every level");
        return std::exchange(free_, free_->next);
    }

    void give_back(void* bytes) {
        auto* slot = new (bytes) Slot;
        slot->next = free_;
        free_ = slot;
    }

  private:
    Slot* free_ = nullptr;
};

/// The allocator of the map's nodes.
template <typename T>
struct SparseAllocator {
    using value_type = T;

    explicit SparseAllocator(SparseRoom* of) : room(of) {}
    template <typename U>
    // NOLINTNEXTLINE(misc-explicit-constructor): the standard requires this conversion to be implicit
    SparseAllocator(const SparseAllocator<U>& other) : room(other.room) {}

    T* allocate([[maybe_unused]] std::size_t count) {
        static_assert(sizeof(T) <= sizeof(SparseRoom::Slot) && alignof(T) <= alignof(SparseRoom::Slot));
        return static_cast<T*>(room->take());
    }
    void deallocate(T* node, std::size_t) { room->give_back(node); }

    template <typename U>
    bool operator==(const SparseAllocator<U>& other) const {
        return room == other.room;
    }

    SparseRoom* room;
};

using FarLevels = std::map<std::int64_t, Handle, std::less<>, SparseAllocator<std::pair<const std::int64_t, Handle>>>;

}  // namespace lowlat
