// One side of one book: finds the level at a price, the best level, and the next one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/native/matching/bitmap_tree.hpp"
#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/sparse_levels.hpp"
#include "engine/native/matching/sparse_node.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Levels are ordered by key, and the lowest key is best on both sides: an ask's key is its price in ticks, a bid's is
/// the bitwise complement of its price in ticks (which, unlike the negative, exists for every int64). The same code
/// serves both sides, and no branch depends on the side.
///
/// Levels within a window, up to `places` neighboring keys, are found by index, and `BitmapTree` finds the next one;
/// all others are in a tree. A key's index is its low bits, so the window slides without moving what stays in it: each
/// operation that misses it may take a few levels in at one end, or out at the other, until the best level is in its
/// middle. A command thus costs O(1) within the window and O(log levels) elsewhere, and none moves many levels.
class alignas(64) Ladder {
  public:
    static constexpr std::int64_t worst_key = std::numeric_limits<std::int64_t>::max();

    /// `window`: `places` handles, all nil; `bits`: `BitmapTree::words(places)` words, all zero.
    Ladder(Handle* window, std::uint64_t* bits, std::uint32_t places, SparseRoom* room)
        : window_(window), occupancy_(bits, places), length_(places), mask_(places - 1), far_(room) {}

    /// Handle of the best level, nil when the side is empty.
    LOWLAT_INLINE Handle best() const { return best_; }
    /// Key of the best level; `worst_key` if the side is empty (that is also a valid key: check `best()`).
    LOWLAT_INLINE std::int64_t best_key() const { return best_key_; }

    /// The level at `key`, or nil.
    LOWLAT_INLINE Handle find(std::int64_t key) {
        if (likely(is_near(key))) return window_[index_of_key(key)];
        return find_far(key);
    }

    /// As find(), but does not move the window.
    LOWLAT_INLINE Handle look(std::int64_t key) const {
        if (likely(is_near(key))) return window_[index_of_key(key)];
        return far_.find(key);
    }

    struct Place {
        std::int64_t key;
        Handle level;  // nil if there is none
    };

    /// The best level after `key`, whether or not `key` has a level.
    Place after(std::int64_t key) const {
        std::uint32_t near = BitmapTree::none;
        if (is_near(key)) {
            near = next_near(index_of_key(key));
            if (near != BitmapTree::none) return {key_of(near), window_[near]};  // what is far is beyond the window
        } else if (key < base_) {
            near = first_near();
        }
        const SparseLevels::Entry far = far_.after(key);
        if (far != SparseLevels::end && (near == BitmapTree::none || far_.key(far) < key_of(near)))
            return {far_.key(far), far_.handle(far)};
        return near == BitmapTree::none ? Place{worst_key, nil} : Place{key_of(near), window_[near]};
    }

    /// Address of the level's handle if it is within the window, for prefetching. Any key is allowed.
    LOWLAT_INLINE const Handle* slot_of(std::int64_t key) const { return window_ + index_of_key(key); }

    /// The same, of the bits that say which levels are in the window.
    LOWLAT_INLINE const std::uint64_t* bits_of(std::int64_t key) const { return occupancy_.word_of(index_of_key(key)); }

    /// Prefetch what an operation at a key outside the window will touch.
    LOWLAT_INLINE void fetch_far(std::int64_t key) const {
        if (!is_near(key)) far_.fetch(key);
    }
    /// The same for an erasure, with what insert() has set.
    LOWLAT_INLINE void fetch_leaf(Handle leaf) const { far_.fetch_leaf(leaf); }

    /// Add a level at a key that has none. `leaf`, which is nil, is set if it is outside the window: to its leaf in the
    /// tree, which is good for fetch_leaf() and erase().
    LOWLAT_INLINE void insert(std::int64_t key, Handle level, Handle& leaf) {
        if (likely(is_near(key))) {
            insert_near(key, level);
        } else {
            insert_far(key, level, leaf);
        }
        if (key < best_key_ || best_ == nil) {
            best_key_ = key;
            best_ = level;
        }
    }

    /// Remove the level at `key`; `leaf` is what insert() has set, or nil.
    LOWLAT_INLINE void erase(std::int64_t key, Handle level, const Handle& leaf) {
        if (unlikely(!is_near(key))) {
            erase_far(key, level, leaf);
            return;
        }
        const std::uint32_t at = index_of_key(key);
        erase_near(at);
        if (level != best_) return;
        // Whatever is far is beyond the window, and whatever is near is behind this place.
        const std::uint32_t next = occupancy_.next(at);
        if (likely(next != BitmapTree::none)) {
            best_key_ = key_of(next);
            best_ = window_[next];
        } else {
            find_best();
        }
    }

    /// Call `visit(key, level)` from the best level on, until it returns false.
    template <typename Visit>
    void for_each(Visit visit) const {
        std::uint32_t near = first_near();
        SparseLevels::Entry far = far_.first();
        while (near != BitmapTree::none || far != SparseLevels::end) {
            const bool near_first =
                near != BitmapTree::none && (far == SparseLevels::end || key_of(near) < far_.key(far));
            if (near_first) {
                if (!visit(key_of(near), window_[near])) return;
                near = next_near(near);
            } else {
                if (!visit(far_.key(far), far_.handle(far))) return;
                far = far_.next(far);
            }
        }
    }

    std::uint32_t levels() const { return near_ + far_.size(); }
    std::uint32_t levels_outside_window() const { return far_.size(); }

    /// Forget every level.
    void reset() {
        for (std::uint32_t at = occupancy_.first(); at != BitmapTree::none; at = occupancy_.next(at)) erase_near(at);
        far_.clear();
        misses_ = 0;
        best_ = nil;
        best_key_ = worst_key;
    }

  private:
    // Below the window the difference wraps to a huge number, so one comparison checks both ends.
    LOWLAT_INLINE bool is_near(std::int64_t key) const { return distance(base_, key) < length_; }
    LOWLAT_INLINE std::uint32_t index_of_key(std::int64_t key) const {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(key)) & mask_;
    }
    /// The key of the window at an index.
    LOWLAT_INLINE std::int64_t key_of(std::uint32_t index) const {
        return plus(base_, (index - index_of_key(base_)) & mask_);
    }

    // Keys from one end of int64 to the other are further apart than an int64 can say.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    static LOWLAT_INLINE std::uint64_t distance(std::int64_t from, std::int64_t to) {
        return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    }
    /// Of two keys in or beside the window.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    static std::uint32_t short_distance(std::int64_t from, std::int64_t to) {
        return static_cast<std::uint32_t>(distance(from, to));
    }
    static LOWLAT_INLINE std::int64_t plus(std::int64_t key, std::uint64_t steps) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(key) + steps);
    }

    LOWLAT_INLINE void insert_near(std::int64_t key, Handle level) {
        const std::uint32_t at = index_of_key(key);
        window_[at] = level;
        occupancy_.set(at);
        ++near_;
    }
    LOWLAT_INLINE void erase_near(std::uint32_t at) {
        window_[at] = nil;
        occupancy_.clear(at);
        --near_;
    }

    // Indices run from that of `base_` to the end, and from 0 to the one before.
    std::uint32_t first_near() const {
        const std::uint32_t start = index_of_key(base_);
        if (occupancy_.test(start)) return start;
        const std::uint32_t next = occupancy_.next(start);
        return next != BitmapTree::none ? next : occupancy_.first();
    }
    std::uint32_t last_near() const {
        const std::uint32_t before = occupancy_.previous(index_of_key(base_));
        return before != BitmapTree::none ? before : occupancy_.last();
    }
    std::uint32_t next_near(std::uint32_t at) const {
        std::uint32_t next = occupancy_.next(at);
        if (next == BitmapTree::none) next = occupancy_.first();
        return next != BitmapTree::none && key_of(next) > key_of(at) ? next : BitmapTree::none;
    }

    LOWLAT_APART Handle find_far(std::int64_t key) {
        miss();
        if (is_near(key)) return window_[index_of_key(key)];  // the miss has moved the window
        return far_.find(key);
    }

    LOWLAT_APART void insert_far(std::int64_t key, Handle level, Handle& leaf) {
        if (best_ == nil) {
            aim_at(key);
            base_ = goal_;
            length_ = places();
        }
        if (is_near(key)) {
            insert_near(key, level);
        } else {
            leaf = far_.insert(key, level);
        }
    }

    LOWLAT_APART void erase_far(std::int64_t key, Handle level, Handle leaf) {
        far_.erase(key, level, leaf);
        if (level == best_) find_best();
        miss();
    }

    LOWLAT_APART void find_best() {
        const std::uint32_t near = first_near();
        const SparseLevels::Entry far = far_.first();
        best_ = nil;
        best_key_ = worst_key;
        if (near != BitmapTree::none) {
            best_key_ = key_of(near);
            best_ = window_[near];
        }
        if (far == SparseLevels::end || (best_ != nil && far_.key(far) > best_key_)) return;
        best_key_ = far_.key(far);
        best_ = far_.handle(far);
        if (near_ == 0) restart();
    }

    // -- the window -------------------------------------------------------------------------------------------------

    std::uint32_t places() const { return mask_ + 1; }
    std::int64_t last_key() const { return plus(base_, std::uint64_t{length_} - 1); }

    /// Count an operation outside the window. Now and then, see whether the window should be elsewhere; while it is not
    /// where it should be, go a few steps.
    void miss() {
        constexpr std::uint32_t patience = 64, steps = 4;
        if (best_ == nil) return;
        if (++misses_ > patience) {
            misses_ = 0;
            const std::uint64_t place = distance(goal_, best_key_);
            const bool central = place >= places() / 4 && place < places() - places() / 4;
            if (!central) aim_at(best_key_);
        }
        for (std::uint32_t step = 0; step < steps && !arrived(); ++step) slide();
    }

    bool arrived() const { return base_ == goal_ && length_ == places(); }

    /// Have the window slide until it is centered on `key`, as far as int64 permits.
    void aim_at(std::int64_t key) {
        constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
        const std::int64_t all = places();
        goal_ = key < lowest + all / 2 ? lowest : std::min(key - all / 2, worst_key - all + 1);
    }

    /// Without a level in the window, have it grow from the best level.
    void restart() {
        aim_at(best_key_);
        base_ = best_key_;
        length_ = 1;
        take_in(best_key_);
    }

    /// Take one level out of the window or into it; or, where there is none to take, move an end to where it should be.
    void slide() {
        const std::int64_t goal_last = plus(goal_, mask_);
        if (near_ == 0) {
            restart();
        } else if (base_ < goal_) {
            take_out_first();
        } else if (last_key() > goal_last) {
            take_out_last(goal_last);
        } else if (base_ > goal_) {
            take_in_before();
        } else {
            take_in_after(goal_last);
        }
    }

    void take_out_first() {
        const std::int64_t first = key_of(first_near());
        const std::int64_t base = first < goal_ ? first + 1 : goal_;
        if (first < goal_) take_out(first);
        length_ -= short_distance(base_, base);
        base_ = base;
    }

    void take_out_last(std::int64_t goal_last) {
        const std::int64_t last = key_of(last_near());
        if (last > goal_last) take_out(last);
        length_ = last > goal_last ? short_distance(base_, last) : short_distance(base_, goal_last) + 1;
    }

    void take_in_before() {
        const SparseLevels::Entry far = far_.before(base_);
        const bool takes = far != SparseLevels::end && far_.key(far) >= goal_;
        const std::int64_t base = takes ? far_.key(far) : goal_;
        length_ += short_distance(base, base_);
        base_ = base;
        if (takes) take_in(base);
    }

    void take_in_after(std::int64_t goal_last) {
        const SparseLevels::Entry far = far_.after(last_key());
        const bool takes = far != SparseLevels::end && far_.key(far) <= goal_last;
        const std::int64_t last = takes ? far_.key(far) : goal_last;
        length_ = short_distance(base_, last) + 1;
        if (takes) take_in(last);
    }

    void take_out(std::int64_t key) {
        const std::uint32_t at = index_of_key(key);
        far_.insert(key, window_[at]);
        erase_near(at);
    }

    void take_in(std::int64_t key) {
        const Handle level = far_.find(key);
        far_.erase(key, level, nil);
        insert_near(key, level);
    }

    // The first cache line is all that a command within the window needs.
    std::int64_t best_key_ = worst_key;
    std::int64_t base_ = 0;  // the first key of the window
    Handle* window_;
    BitmapTree occupancy_;
    std::uint32_t length_;  // how many keys the window has; at most `places`, and fewer on its way to the goal
    std::uint32_t mask_;
    Handle best_ = nil;
    std::uint32_t near_ = 0;
    std::uint32_t misses_ = 0;
    std::int64_t goal_ = 0;  // what `base_` should be
    SparseLevels far_;
};

}  // namespace lowlat
