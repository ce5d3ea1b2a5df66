// Maps a client's order id to the order's node: a hash table whose chains are linked through the orders.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// How ids are expected to be given; a wrong guess costs time only, until the index notices.
enum class OrderIds : std::uint8_t { per_symbol, over_all_symbols };

/// Each slot holds the first order of a chain, the latest to enter; `link(order)` is the handle of the next. An order
/// that is alone in its slot costs one read of the slot, and nothing ever moves.
///
/// While ids are dense, the slot of an id is the id itself plus a constant per symbol (none if ids are expected to be
/// unique over all symbols): neighbors in time are neighbors in memory, and the table is a direct index of a sliding
/// range. When ids crowd in some slots (they have a common
/// stride, or were chosen to), the slot becomes a hash of the id, and every live order is inserted again.
class OrderIndex {
  public:
    /// The number of a slot.
    enum class Home : std::uint32_t {};

    /// Number of slots for `entries` entries: at most half of them are used, so that even the oldest of long-lived
    /// orders are rarely met by new ones.
    static constexpr std::uint64_t slots_for(std::uint64_t entries) { return std::bit_ceil(2 * entries); }

    /// No lookup passes more orders. The probability that a hash gives a slot this many is below 10^-30.
    static constexpr std::uint32_t chain_max = 24;

    OrderIndex() = default;
    /// Over empty slots, whose number is a power of two. `ids`: how they are expected to be given.
    explicit OrderIndex(std::span<Handle> slots, OrderIds ids = OrderIds::per_symbol)
        : slots_(slots.data()),
          mask_(static_cast<std::uint32_t>(slots.size() - 1)),
          ids_(ids),
          stride_(first_stride()),
          used_(slots.size()) {}

    LOWLAT_INLINE Home home(std::uint64_t id, std::uint32_t symbol) const {
        const std::uint64_t key = id + symbol * stride_;
        if (likely(direct_)) return Home{static_cast<std::uint32_t>(key) & mask_};
        const std::uint32_t home = static_cast<std::uint32_t>(seed_ == 0 ? key : mix(key)) & mask_;
        return Home{home < used_ ? home : home & mask_ >> 1};
    }

    /// The first order of a chain, or nil.
    LOWLAT_INLINE Handle first(Home home) const { return slots_[number(home)]; }

    /// The order of the chain from `at` on for which `is(order)` holds, or nil.
    template <typename Is, typename Link>
    LOWLAT_INLINE static Handle find(Handle at, Is is, Link link) {
        while (at != nil && unlikely(!is(at))) at = link(at);
        return at;
    }

    /// Insert an order. False if its chain, or chains in general, are longer than those of well-spread ids.
    template <typename Link>
    LOWLAT_INLINE bool insert(Home home, Handle order, Link link) {
        Handle& first = slots_[number(home)];
        const Handle next = first;
        link(order) = next;
        first = order;
        ++inserted_;
        return likely(next == nil) || well_spread(next, link);
    }

    /// Remove an order, which must be present.
    template <typename Link>
    LOWLAT_INLINE void erase(Home home, Handle order, Link link) {
        Handle* at = &slots_[number(home)];
        while (unlikely(*at != order)) at = &link(*at);
        *at = link(order);
    }

    /// The slot, for prefetching; valid until the index grows.
    LOWLAT_INLINE const Handle* slot(Home home) const { return slots_ + number(home); }

    void clear() {
        for (std::uint64_t at = 0; at < used_; ++at) slots_[at] = nil;
        inserted_ = passed_ = 0;
    }

    /// Remove all entries, and use the ids as slots again.
    void reset() {
        clear();
        seed_ = 0;
        stride_ = first_stride();
        choose_way();
    }

    /// Change the hash and remove all entries; the caller inserts them again.
    void rehash() {
        clear();
        ++seed_;
        stride_ = symbol_stride;
        salt_ = seed_ * symbol_stride ^ reinterpret_cast<std::uintptr_t>(slots_);
        choose_way();
    }

    /// Use slots at another address, where the present ones are.
    void move_to(Handle* slots) { slots_ = slots; }

    /// Have twice as many slots. The new ones come into use one by one, by split().
    void double_slots() {
        mask_ = 2 * mask_ + 1;
        choose_way();
    }

    /// Use the slots before `end`, which is not before those in use: each new one takes over its share of the chain of
    /// one that is already in use. `home_of(order)` is the home of an order.
    template <typename HomeOf, typename Link>
    void split(std::uint64_t end, HomeOf home_of, Link link) {
        while (used_ < end) {
            Handle at = std::exchange(slots_[used_ & mask_ >> 1], nil);
            slots_[used_++] = nil;
            while (at != nil) {
                Handle& first = slots_[number(home_of(at))];
                at = std::exchange(link(at), std::exchange(first, at));
            }
        }
        choose_way();
    }

    /// Slots in use: all of them, unless the index is growing.
    std::uint64_t used() const { return used_; }

    /// 0 while slots are the ids themselves.
    std::uint32_t seed() const { return seed_; }
    std::uint64_t slots() const { return std::uint64_t{mask_} + 1; }

  private:
    static constexpr std::uint64_t symbol_stride = 0x9E37'79B9'7F4A'7C15;

    LOWLAT_INLINE static std::uint32_t number(Home home) { return static_cast<std::uint32_t>(home); }

    std::uint64_t first_stride() const { return ids_ == OrderIds::per_symbol ? symbol_stride : 0; }
    void choose_way() { direct_ = seed_ == 0 && used_ == slots(); }

    /// Every bit of the key affects every bit of the result: the finalizer of MurmurHash3 (public domain, A. Appleby).
    std::uint64_t mix(std::uint64_t key) const {
        key ^= salt_;
        key = (key ^ key >> 33) * 0xFF51'AFD7'ED55'8CCD;
        key = (key ^ key >> 33) * 0xC4CE'B9FE'1A85'EC53;
        return key ^ key >> 33;
    }

    /// After an insertion in front of `next`. In half-full slots, well-spread ids pass half an order per insertion.
    template <typename Link>
    LOWLAT_APART bool well_spread(Handle next, Link link) {
        std::uint32_t length = 1;
        for (; next != nil; next = link(next)) ++length;
        passed_ += length - 1;
        if (unlikely(inserted_ > used_)) {  // what has been long ago counts less and less
            inserted_ /= 2;
            passed_ /= 2;
        }
        return length <= chain_max && (seed_ != 0 || passed_ <= inserted_ + allowance);
    }

    /// Orders to be passed before the mean counts.
    static constexpr std::uint64_t allowance = 64;

    Handle* slots_ = nullptr;
    std::uint32_t mask_ = 0;
    std::uint32_t seed_ = 0;
    OrderIds ids_ = OrderIds::per_symbol;
    std::uint64_t stride_ = symbol_stride;
    std::uint64_t salt_ = 0;  // the table's address, so that nobody can choose ids that collide in all processes
    std::uint64_t used_ = 0;
    bool direct_ = true;  // the slot of an id is its low bits
    std::uint64_t inserted_ = 0;
    std::uint64_t passed_ = 0;  // by these insertions
};

}  // namespace lowlat
