// Levels outside a ladder's window: an ordered map whose nodes come from preallocated memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <new>
#include <span>
#include <utility>
#include <vector>

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

    /// Add `count` slots at `slots`, which stay untouched until they are taken. Throws std::bad_alloc.
    void add(Slot* slots, std::size_t count) { fresh_.emplace_back(slots, count); }

    void* take() {
        if (free_ != nullptr) return std::exchange(free_, free_->next);
        while (!fresh_.empty() && fresh_.back().empty()) fresh_.pop_back();
        if (fresh_.empty()) broken("there is a far slot for every level");
        std::span<Slot>& fresh = fresh_.back();
        Slot* slot = fresh.data();
        fresh = fresh.subspan(1);
        return slot;
    }

    void give_back(void* bytes) {
        auto* slot = new (bytes) Slot;
        slot->next = free_;
        free_ = slot;
    }

  private:
    Slot* free_ = nullptr;
    std::vector<std::span<Slot>> fresh_;  // never taken
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
