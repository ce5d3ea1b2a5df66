// Levels outside a ladder's window: a B+ tree whose nodes come from preallocated memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/sparse_node.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Handles by key, in order. A million of them are five nodes deep, and all nodes but the leaves take 1 MB.
///
/// Most changes concern one leaf, and do without the way to it: insert() knows the leaf of the key that was just looked
/// up or fetched, and erase() takes the leaf that insert() returned, where the key usually still is.
class SparseLevels {
  public:
    /// An entry of a leaf; invalid after any change.
    struct Entry {
        Handle leaf;
        std::uint32_t at;

        bool operator==(const Entry&) const = default;
    };
    static constexpr Entry end{nil, 0};

    explicit SparseLevels(SparseRoom* room) : room_(room) {}

    bool empty() const { return size_ == 0; }
    std::uint32_t size() const { return size_; }
    std::int64_t key(Entry entry) const { return node(entry.leaf).keys[entry.at]; }
    Handle handle(Entry entry) const { return node(entry.leaf).handles[entry.at]; }

    /// The handle at `key`, or nil.
    LOWLAT_INLINE Handle find(std::int64_t key) const {
        if (root_ == nil) return nil;
        const SparseNode& leaf = node(leaf_of(key));
        const std::uint32_t at = leaf.lower_bound(key);
        return at < leaf.count && leaf.keys[at] == key ? leaf.handles[at] : nil;
    }

    Entry first() const { return lower_bound(std::numeric_limits<std::int64_t>::min()); }

    /// The first entry whose key is not less than `key`, or `end`.
    Entry lower_bound(std::int64_t key) const {
        if (root_ == nil) return end;
        const Handle leaf = leaf_of(key);
        const std::uint32_t at = node(leaf).lower_bound(key);
        return at < node(leaf).count ? Entry{leaf, at} : first_of(node(leaf).next);
    }

    /// The first entry whose key is greater than `key`, or `end`.
    Entry after(std::int64_t key) const { return key == SparseNode::unused ? end : lower_bound(key + 1); }

    /// The last entry whose key is less than `key`, or `end`.
    Entry before(std::int64_t key) const {
        const Entry at = lower_bound(key);
        if (at == end) return last();
        return at.at != 0 ? Entry{at.leaf, at.at - 1} : last_of(node(at.leaf).prev);
    }

    Entry next(Entry entry) const {
        if (entry.at + 1 < node(entry.leaf).count) return {entry.leaf, entry.at + 1};
        return first_of(node(entry.leaf).next);
    }

    /// Call `visit(key, handle)` in order.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (Entry at = first(); at != end; at = next(at)) visit(key(at), handle(at));
    }

    /// The handle at `key`; if there is none, nil is added.
    Handle& at(std::int64_t key) {
        Entry found = lower_bound(key);
        if (found == end || this->key(found) != key) {
            insert(key, nil);
            found = lower_bound(key);
        }
        return (*room_)[found.leaf].handles[found.at];
    }

    /// Add a key that is not there. Returns its leaf.
    LOWLAT_APART Handle insert(std::int64_t key, Handle handle) {
        ++size_;
        room_->count_levels(1);
        if (root_ == nil) root_ = room_->add_node(0);
        const Handle at = leaf_of(key);
        SparseNode& leaf = (*room_)[at];
        if (unlikely(leaf.full())) return insert_and_split(key, handle);
        leaf.insert(leaf.lower_bound(key), key, handle);
        return at;
    }

    /// Remove a key that is there, with its handle; `leaf` is where it may be, or nil.
    LOWLAT_APART void erase(std::int64_t key, Handle handle, Handle leaf) {
        --size_;
        room_->count_levels(-1U);
        Entry found = entry_in(leaf, key, handle);
        if (found == end) {
            const Handle at = leaf_of(key);
            found = {at, node(at).lower_bound(key)};
        }
        SparseNode& from = (*room_)[found.leaf];
        from.erase(found.at);
        if (from.count < SparseNode::entries_min && (height_ != 0 || from.count == 0)) refill(key);
    }

    void clear() {
        for (; height_ != 0; --height_) {
            const Handle below = child(root_, 0);
            release_row(root_);
            root_ = below;
        }
        release_row(root_);
        root_ = nil;
        room_->count_levels(-size_);
        size_ = 0;
    }

    /// Prefetch the leaf of a key, and note it.
    LOWLAT_INLINE void fetch(std::int64_t key) const {
        if (root_ == nil) return;
        if (height_ == 0) return fetch_node(root_);
        leaf_of(key);
    }
    /// Prefetch a leaf that insert() returned.
    LOWLAT_INLINE void fetch_leaf(Handle leaf) const { fetch_node(leaf); }

  private:
    /// No tree is deeper: a node but the root has at least 15 entries, and there are at most 2^30 levels.
    static constexpr std::uint32_t height_max = 8;

    /// From a leaf to the root: the entries that lead to the leaf of a key, and where it belongs there.
    struct Path {
        struct Step {
            Handle node;
            std::uint32_t at;
        };
        Step steps[height_max + 1];
    };

    const SparseNode& node(Handle handle) const { return (*room_)[handle]; }

    Entry first_of(Handle leaf) const { return leaf == nil ? end : Entry{leaf, 0}; }
    Entry last_of(Handle leaf) const { return leaf == nil ? end : Entry{leaf, node(leaf).count - 1U}; }
    Entry last() const {
        if (root_ == nil) return end;
        Handle at = root_;
        for (std::uint32_t height = height_; height != 0; --height) at = child(at, node(at).count - 1);
        return last_of(at);
    }

    // -- from the root to a leaf --------------------------------------------------------------------------------------

    /// All cache lines at once.
    LOWLAT_INLINE void fetch_node(Handle handle) const {
        const char* const start = reinterpret_cast<const char*>(&node(handle));
#pragma GCC unroll 8
        for (std::size_t line = 0; line < sizeof(SparseNode); line += 64) prefetch(start + line);
    }

    LOWLAT_INLINE Handle child(Handle parent, std::uint32_t at) const {
        const Handle handle = node(parent).handles[at];
        fetch_node(handle);
        return handle;
    }

    LOWLAT_INLINE Handle leaf_of(std::int64_t key) const {
        Handle at = room_->noted_leaf(this, key);
        if (at != nil) return at;
        at = root_;
        for (std::uint32_t height = height_; height != 0; --height) at = child(at, node(at).lower_bound(key));
        room_->note_leaf(this, key, at);
        return at;
    }

    Path path_to(std::int64_t key) const {
        Path path;
        Handle at = root_;
        for (std::uint32_t height = height_;; --height) {
            const std::uint32_t found = node(at).lower_bound(key);
            path.steps[height] = {at, found};
            if (height == 0) return path;
            at = child(at, found);
        }
    }

    /// The entry in a leaf or in one beside it, where a split puts half of the entries; `end` if it is in none of them.
    /// The leaf may have been freed since, and be a node of any tree: but a handle is in one leaf of all.
    Entry entry_in(Handle leaf, std::int64_t key, Handle handle) const {
        for (int beside = 0; leaf != nil && beside < 2; ++beside) {
            fetch_node(leaf);
            const SparseNode& there = node(leaf);
            const std::uint32_t at = there.lower_bound(key);
            if (there.height != 0 || there.count == 0) return end;
            if (at < there.count && there.keys[at] == key && there.handles[at] == handle) return {leaf, at};
            leaf = at == there.count ? there.next : there.prev;
        }
        return end;
    }

    // -- changes of more than a leaf ----------------------------------------------------------------------------------

    /// Free a node and all to the right of it.
    void release_row(Handle first) {
        while (first != nil) {
            const Handle next = node(first).next;
            room_->free_node(first);
            first = next;
        }
    }

    /// Split the full nodes above a key, from its leaf up, and add it. Returns its leaf.
    LOWLAT_APART Handle insert_and_split(std::int64_t key, Handle handle) {
        const Path path = path_to(key);
        Handle leaf = nil;
        for (std::uint32_t height = 0;; ++height) {
            const auto [left, at] = path.steps[height];
            const bool splits = node(left).full();
            const Handle right = splits ? split_off(left) : nil;
            const std::uint32_t kept = node(left).count;
            const bool goes_right = splits && at >= kept;
            const Handle to = goes_right ? right : left;
            put(to, goes_right ? at - kept : at, key, handle);
            if (height == 0) leaf = to;
            if (!splits) return leaf;
            key = node(left).keys[node(left).count - 1];
            handle = right;
            if (height == height_) {
                add_root(key, handle);
                return leaf;
            }
        }
    }

    /// Add an entry. That of an inner node is the left half of a split child; `handle` is the right half and takes the
    /// child's key.
    void put(Handle to, std::uint32_t at, std::int64_t key, Handle handle) {
        SparseNode& node = (*room_)[to];
        if (node.height == 0) return node.insert(at, key, handle);
        node.insert(at, key, node.handles[at]);
        node.handles[at + 1] = handle;
    }

    /// Move the upper half of a full node to a new one.
    Handle split_off(Handle left) {
        const Handle right = room_->add_node(node(left).height);
        SparseNode& from = (*room_)[left];
        SparseNode& to = (*room_)[right];
        to.take_last(from, SparseNode::capacity - SparseNode::entries_min);
        to.prev = left;
        to.next = from.next;
        if (to.next != nil) (*room_)[to.next].prev = right;
        from.next = right;
        return right;
    }

    void add_root(std::int64_t key, Handle right) {
        const Handle root = room_->add_node(++height_);
        (*room_)[root].insert(0, key, root_);
        (*room_)[root].insert(1, SparseNode::unused, right);
        root_ = root;
    }

    /// After the erasure of a key: have no node but the root with too few entries, and no root of one child or of
    /// nothing.
    LOWLAT_APART void refill(std::int64_t key) {
        const Path path = path_to(key);
        for (std::uint32_t height = 0; height < height_; ++height) {
            if (node(path.steps[height].node).count >= SparseNode::entries_min) return;
            const Path::Step& parent = path.steps[height + 1];
            refill_child((*room_)[parent.node], parent.at == 0 ? 0 : parent.at - 1);
        }
        if (height_ != 0 && node(root_).count == 1) {
            const Handle below = node(root_).handles[0];
            room_->free_node(root_);
            root_ = below;
            --height_;
        } else if (node(root_).count == 0) {
            room_->free_node(root_);
            root_ = nil;
        }
    }

    /// Merge the children `left` and `left + 1`, or have them share their entries.
    void refill_child(SparseNode& parent, std::uint32_t left) {
        SparseNode& first = (*room_)[parent.handles[left]];
        SparseNode& second = (*room_)[parent.handles[left + 1]];
        const std::uint32_t all = first.count + second.count;
        room_->note_change();
        if (all > SparseNode::capacity) {
            if (first.count < second.count) {
                first.take_first(second, all / 2 - first.count);
            } else {
                second.take_last(first, all / 2 - second.count);
            }
            parent.keys[left] = first.keys[first.count - 1];
            return;
        }
        first.take_first(second, second.count);
        first.next = second.next;
        if (first.next != nil) (*room_)[first.next].prev = parent.handles[left];
        room_->free_node(parent.handles[left + 1]);
        parent.handles[left + 1] = parent.handles[left];
        parent.erase(left);
    }

    SparseRoom* room_;
    Handle root_ = nil;
    std::uint32_t height_ = 0;  // of the root above the leaves
    std::uint32_t size_ = 0;
};

}  // namespace lowlat
