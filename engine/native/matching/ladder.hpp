// One side of one book: finds the level at a price, the best level, and the next one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/native/matching/bitmap_tree.hpp"
#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/sparse_levels.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Levels are ordered by key, and the lowest key is best on both sides: an ask's key is its price in ticks, a bid's is
/// the bitwise complement of its price in ticks (which, unlike the negative, exists for every int64). The same code
/// serves both sides, and no branch depends on the side.
///
/// Levels within a window of `places` keys are found by index, and `BitmapTree` finds the next one; all others are in
/// an ordered map. The window is placed around the best level: when the side is empty, and when so many operations have
/// missed it that moving every level costs less than the misses did. A command thus costs amortized O(log levels) at
/// any price, and O(1) within the window. The one command that moves the window pays about 20 ns for each level.
class alignas(64) Ladder {
  public:
    static constexpr std::int64_t worst_key = std::numeric_limits<std::int64_t>::max();

    /// `window`: `places` handles, all nil; `bits`: `BitmapTree::words(places)` words, all zero.
    Ladder(Handle* window, std::uint64_t* bits, std::uint32_t places, SparseRoom* room)
        : window_(window),
          occupancy_(bits, places),
          places_(places),
          far_(SparseAllocator<FarLevels::value_type>(room)) {}

    /// Handle of the best level, nil when the side is empty.
    LOWLAT_INLINE Handle best() const { return best_; }
    /// Key of the best level; `worst_key` if the side is empty (that is also a valid key: check `best()`).
    LOWLAT_INLINE std::int64_t best_key() const { return best_key_; }

    /// The level at `key`, or nil.
    LOWLAT_INLINE Handle find(std::int64_t key) {
        const std::uint64_t place = place_of(key);
        if (likely(place < places_)) return window_[place];
        return find_far(key);
    }

    /// As find(), but does not move the window.
    LOWLAT_INLINE Handle look(std::int64_t key) const {
        const std::uint64_t place = place_of(key);
        if (likely(place < places_)) return window_[place];
        const auto found = far_.find(key);
        return found == far_.end() ? nil : found->second;
    }

    struct Place {
        std::int64_t key;
        Handle level;  // nil if there is none
    };

    /// The best level after `key`, whether or not `key` has a level.
    Place after(std::int64_t key) const {
        if (key == worst_key) return {worst_key, nil};
        const std::uint64_t place = place_of(key);
        std::uint32_t near = BitmapTree::none;
        if (place < places_) {
            near = occupancy_.next(static_cast<std::uint32_t>(place));
        } else if (key < base_) {
            near = occupancy_.first();
        }
        const auto far = far_.upper_bound(key);
        if (far != far_.end() && (near == BitmapTree::none || far->first < key_of(near)))
            return {far->first, far->second};
        return near == BitmapTree::none ? Place{worst_key, nil} : Place{key_of(near), window_[near]};
    }

    /// Address of the level's handle within the window, for prefetching. Any key is allowed.
    LOWLAT_INLINE const Handle* slot_of(std::int64_t key) const { return window_ + (place_of(key) & (places_ - 1)); }

    /// Add a level at a key that has none.
    LOWLAT_INLINE void insert(std::int64_t key, Handle level) {
        const std::uint64_t place = place_of(key);
        if (likely(place < places_)) {
            insert_near(static_cast<std::uint32_t>(place), level);
        } else {
            insert_far(key, level);
        }
        if (key < best_key_ || best_ == nil) {
            best_key_ = key;
            best_ = level;
        }
    }

    /// Remove the level at `key`.
    LOWLAT_INLINE void erase(std::int64_t key, Handle level) {
        const std::uint64_t place = place_of(key);
        if (unlikely(place >= places_)) {
            erase_far(key, level);
            return;
        }
        const auto at = static_cast<std::uint32_t>(place);
        window_[at] = nil;
        occupancy_.clear(at);
        --near_;
        if (level != best_) return;
        const std::uint32_t next = occupancy_.next(at);
        if (likely(next != BitmapTree::none && far_.empty())) {
            best_key_ = key_of(next);
            best_ = window_[next];
        } else {
            find_best();
        }
    }

    /// Call `visit(key, level)` from the best level on, until it returns false.
    template <typename Visit>
    void for_each(Visit visit) const {
        std::uint32_t near = occupancy_.first();
        auto far = far_.begin();
        while (near != BitmapTree::none || far != far_.end()) {
            const bool near_first = near != BitmapTree::none && (far == far_.end() || key_of(near) < far->first);
            if (near_first) {
                if (!visit(key_of(near), window_[near])) return;
                near = occupancy_.next(near);
            } else {
                if (!visit(far->first, far->second)) return;
                ++far;
            }
        }
    }

    std::uint32_t levels() const { return near_ + static_cast<std::uint32_t>(far_.size()); }
    std::uint32_t levels_outside_window() const { return static_cast<std::uint32_t>(far_.size()); }

    /// Forget every level.
    void reset() {
        for (std::uint32_t at = occupancy_.first(); at != BitmapTree::none; at = occupancy_.next(at)) {
            occupancy_.clear(at);
            window_[at] = nil;
        }
        far_.clear();
        near_ = 0;
        misses_ = 0;
        best_ = nil;
        best_key_ = worst_key;
    }

  private:
    // Below the window the difference wraps to a huge number, so one comparison checks both ends. `base_` is kept low
    // enough that `base_ + places_` does not wrap.
    LOWLAT_INLINE std::uint64_t place_of(std::int64_t key) const {
        return static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(base_);
    }
    LOWLAT_INLINE std::int64_t key_of(std::uint32_t place) const { return base_ + place; }

    LOWLAT_INLINE void insert_near(std::uint32_t place, Handle level) {
        window_[place] = level;
        occupancy_.set(place);
        ++near_;
    }

    LOWLAT_COLD Handle find_far(std::int64_t key) {
        miss();
        const std::uint64_t place = place_of(key);
        if (place < places_) return window_[place];  // the miss has moved the window
        const auto found = far_.find(key);
        return found == far_.end() ? nil : found->second;
    }

    LOWLAT_COLD void insert_far(std::int64_t key, Handle level) {
        if (best_ == nil) place_window(key);
        const std::uint64_t place = place_of(key);
        if (place < places_) {
            insert_near(static_cast<std::uint32_t>(place), level);
        } else {
            far_.emplace(key, level);
        }
    }

    LOWLAT_COLD void erase_far(std::int64_t key, Handle level) {
        far_.erase(key);
        if (level == best_) find_best();
        miss();
    }

    LOWLAT_COLD void find_best() {
        best_ = nil;
        best_key_ = worst_key;
        for_each([this](std::int64_t key, Handle level) {
            best_key_ = key;
            best_ = level;
            return false;
        });
        if (near_ == 0 && best_ != nil) move_window();
    }

    /// Count an operation outside the window. A move costs about one such operation per level in the window.
    void miss() {
        constexpr std::uint32_t patience = 64;
        if (++misses_ <= near_ + patience || best_ == nil) return;
        misses_ = 0;
        const std::uint64_t place = place_of(best_key_);
        const bool central = place >= places_ / 4 && place < places_ - places_ / 4;
        if (!central) move_window();
    }

    void move_window() {
        for (std::uint32_t at = occupancy_.first(); at != BitmapTree::none; at = occupancy_.next(at)) {
            far_.emplace(key_of(at), window_[at]);
            occupancy_.clear(at);
            window_[at] = nil;
        }
        near_ = 0;
        misses_ = 0;
        place_window(best_key_);
        auto far = far_.lower_bound(base_);
        while (far != far_.end() && place_of(far->first) < places_) {
            insert_near(static_cast<std::uint32_t>(place_of(far->first)), far->second);
            far = far_.erase(far);
        }
    }

    /// Center the window on `key`, as far as int64 permits.
    void place_window(std::int64_t key) {
        constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
        const std::int64_t places = places_;
        base_ = key < lowest + places / 2 ? lowest : std::min(key - places / 2, worst_key - places + 1);
    }

    std::int64_t best_key_ = worst_key;
    std::int64_t base_ = 0;
    Handle* window_;
    BitmapTree occupancy_;
    std::uint32_t places_;
    Handle best_ = nil;
    std::uint32_t near_ = 0;
    std::uint32_t misses_ = 0;  // since the window was last placed
    FarLevels far_;
};

}  // namespace lowlat
