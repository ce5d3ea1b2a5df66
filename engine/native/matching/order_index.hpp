// Maps a client's order id to the order's node: a hash table sized for the orders that can be live at once.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Open addressing with Robin Hood probing and no tombstones. An entry's home is the low bits of its tag.
///
/// While ids are dense, the tag is the id itself plus a constant per symbol: neighbors in time are neighbors in memory
/// and every entry is at its home slot, so the table is a direct index of a sliding range. When an insertion has to
/// step over too many entries (ids with a common stride, or live ids further apart than the table is long), the tag
/// becomes a hash of the id, and every live entry is inserted again.
class OrderIndex {
  public:
    enum class Tag : std::uint32_t {};
    struct Slot {
        Tag tag;
        Handle handle;  // nil: empty
    };
    static_assert(sizeof(Slot) == 8);

    /// Number of slots for `entries` entries: the load factor is at most 4/5.
    static constexpr std::uint64_t slots_for(std::uint64_t entries) { return std::bit_ceil(entries + entries / 4 + 1); }

    OrderIndex() = default;
    /// Over empty slots, whose number is a power of two.
    OrderIndex(std::span<Slot> slots, std::uint32_t seed)
        : slots_(slots.data()), mask_(slots.size() - 1), seed_(seed) {}

    LOWLAT_INLINE Tag tag(std::uint64_t id, std::uint32_t symbol) const {
        const std::uint64_t key = id + symbol * symbol_stride;
        if (likely(seed_ == 0)) return Tag{static_cast<std::uint32_t>(key)};
        return mix(key);
    }

    /// The entry whose tag is `tag` and for which `is(handle)` holds, or nil.
    template <typename Is>
    LOWLAT_INLINE Handle find(Tag tag, Is is) const {
        std::uint64_t at = home_of(tag);
        for (std::uint64_t distance = 0;; ++distance, at = (at + 1) & mask_) {
            const Slot slot = slots_[at];
            if (slot.handle == nil) return nil;
            if (slot.tag == tag && likely(is(slot.handle))) return slot.handle;
            if (unlikely(distance_at(at, slot.tag) < distance)) return nil;
        }
    }

    /// Inserts an entry. False if this, or an earlier erasure, took more steps than well-spread tags would.
    LOWLAT_INLINE bool insert(Tag tag, Handle handle) {
        const std::uint64_t at = home_of(tag);
        if (likely(slots_[at].handle == nil)) {
            slots_[at] = {tag, handle};
            return true;
        }
        return insert_displaced({tag, handle}, at);
    }

    /// Remove the entry of `handle`, which must be present.
    LOWLAT_INLINE void erase(Tag tag, Handle handle) {
        std::uint64_t at = home_of(tag);
        while (slots_[at].handle != handle) at = (at + 1) & mask_;
        // Shift back the following entries that are not at home, so that every probe still ends correctly.
        std::uint64_t next = (at + 1) & mask_;
        Slot slot = slots_[next];
        if (unlikely(slot.handle != nil && distance_at(next, slot.tag) != 0)) {
            std::uint64_t steps = 0;
            do {
                slots_[at] = slot;
                at = next;
                next = (next + 1) & mask_;
                slot = slots_[next];
                ++steps;
            } while (slot.handle != nil && distance_at(next, slot.tag) != 0);
            strained_ |= steps > steps_allowed();
        }
        slots_[at].handle = nil;
    }

    /// The home slot of a tag, for prefetching.
    LOWLAT_INLINE const Slot* home(Tag tag) const { return slots_ + home_of(tag); }

    void clear() {
        for (std::uint64_t at = 0; at <= mask_; ++at) slots_[at].handle = nil;
    }

    /// Remove all entries, and use the ids as tags again.
    void reset() {
        clear();
        seed_ = 0;
        strained_ = false;
    }

    /// Change the hash; the caller clears the table and inserts every entry again.
    void rehash() {
        ++seed_;
        strained_ = false;
    }

    /// 0 while tags are the ids themselves.
    std::uint32_t seed() const { return seed_; }
    std::uint64_t slots() const { return mask_ + 1; }

  private:
    static constexpr std::uint64_t symbol_stride = 0x9E37'79B9'7F4A'7C15;
    static constexpr std::uint64_t steps_dense = 64;
    static constexpr std::uint64_t steps_mixed = 512;

    LOWLAT_INLINE std::uint64_t home_of(Tag tag) const { return static_cast<std::uint32_t>(tag) & mask_; }
    LOWLAT_INLINE std::uint64_t distance_at(std::uint64_t at, Tag tag) const {
        return (at - static_cast<std::uint32_t>(tag)) & mask_;
    }

    /// Every bit of the key affects every bit of the tag: the finalizer of MurmurHash3 (public domain, A. Appleby).
    Tag mix(std::uint64_t key) const {
        // The table's address differs between processes, so nobody can choose ids that collide in all of them.
        key ^= seed_ * symbol_stride ^ reinterpret_cast<std::uintptr_t>(slots_);
        key = (key ^ key >> 33) * 0xFF51'AFD7'ED55'8CCD;
        key = (key ^ key >> 33) * 0xC4CE'B9FE'1A85'EC53;
        return Tag{static_cast<std::uint32_t>(key ^ key >> 33)};
    }

    LOWLAT_COLD bool insert_displaced(Slot entry, std::uint64_t at) {
        std::uint32_t steps = 0;
        for (std::uint64_t distance = 0; slots_[at].handle != nil; ++distance, ++steps, at = (at + 1) & mask_) {
            const std::uint64_t resident = distance_at(at, slots_[at].tag);
            if (resident < distance) {
                std::swap(entry, slots_[at]);
                distance = resident;
            }
        }
        slots_[at] = entry;
        return steps < steps_allowed() && !strained_;
    }

    std::uint64_t steps_allowed() const { return seed_ == 0 ? steps_dense : steps_mixed; }

    Slot* slots_ = nullptr;
    std::uint64_t mask_ = 0;
    std::uint32_t seed_ = 0;
    bool strained_ = false;  // an erasure had to move many entries
};

}  // namespace lowlat
