// Levels outside a ladder's window: a B+ tree whose nodes come from preallocated memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/sparse_node.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Handles by key, in order. A million of them are five nodes deep, and all nodes but the leaves
/// take 1 MB.
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
    Handle find(std::int64_t key) const {
        const Entry found = lower_bound(key);
        return found != end && this->key(found) == key ? handle(found) : nil;
    }

    Entry first() const { return lower_bound(std::numeric_limits<std::int64_t>::min()); }

    /// The first entry whose key is not less than `key`, or `end`.
    Entry lower_bound(std::int64_t key) const {
        if (root_ == nil) return end;
        Handle at = root_;
        for (std::uint32_t height = height_; height != 0; --height) at = child(at, node(at).lower_bound(key));
        const std::uint32_t found = node(at).lower_bound(key);
        return found < node(at).count ? Entry{at, found} : first_of(node(at).next);
    }

    /// The first entry whose key is greater than `key`, or `end`.
    Entry after(std::int64_t key) const { return key == SparseNode::unused ? end : lower_bound(key + 1); }

    /// The last entry whose key is less than `key`, or `end`.
    Entry before(std::int64_t key) const {
        const Entry at = lower_bound(key);
        if (at == end) return last();
        return at.at != 0 ? Entry{at.leaf, at.at - 1} : last_of(node(at.leaf).prev);
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

    /// Call `visit(key, handle)` in order.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (Entry at = first(); at != end; at = next(at)) visit(key(at), handle(at));
    }

    Entry next(Entry entry) const {
        if (entry.at + 1 < node(entry.leaf).count) return {entry.leaf, entry.at + 1};
        return first_of(node(entry.leaf).next);
    }

    /// Add a key that is not there.
    LOWLAT_APART void insert(std::int64_t key, Handle handle) {
        if (root_ == nil) root_ = acquire();
        Path path;
        descend(key, path);
        ++size_;
        const Step& leaf = path.steps[0];
        if (likely(!node(leaf.node).full())) {
            (*room_)[leaf.node].insert(leaf.at, key, handle);
        } else {
            insert_and_split(path, key, handle);
        }
    }

    /// Remove a key that is there.
    LOWLAT_APART void erase(std::int64_t key) {
        Path path;
        descend(key, path);
        --size_;
        SparseNode& leaf = (*room_)[path.steps[0].node];
        leaf.erase(path.steps[0].at);
        if (unlikely(leaf.count < SparseNode::entries_min)) refill(path);
    }

    void clear() {
        for (; root_ != nil && height_ != 0; --height_) {
            const Handle below = child(root_, 0);
            release_row(root_);
            root_ = below;
        }
        release_row(root_);
        root_ = nil;
        size_ = 0;
    }

    /// Prefetch the leaf of `key`.
    void fetch(std::int64_t key) const {
        if (root_ == nil) return;
        Handle at = root_;
        for (std::uint32_t height = height_; height != 0; --height) at = child(at, node(at).lower_bound(key));
    }

  private:
    /// No tree is deeper: a node but the root has at least 15 entries, and there are at most 2^30 levels.
    static constexpr std::uint32_t height_max = 8;

    struct Step {
        Handle node;
        std::uint32_t at;
    };
    /// From a leaf to the root.
    struct Path {
        Step steps[height_max + 1];
    };

    const SparseNode& node(Handle handle) const { return (*room_)[handle]; }

    /// A child, whose cache lines are fetched all at once.
    LOWLAT_INLINE Handle child(Handle parent, std::uint32_t at) const {
        const Handle handle = node(parent).handles[at];
        const char* const start = reinterpret_cast<const char*>(&node(handle));
#pragma GCC unroll 8
        for (std::size_t line = 0; line < sizeof(SparseNode); line += 64) prefetch(start + line);
        return handle;
    }

    Entry first_of(Handle leaf) const { return leaf == nil ? end : Entry{leaf, 0}; }
    Entry last_of(Handle leaf) const { return leaf == nil ? end : Entry{leaf, node(leaf).count - 1}; }
    Entry last() const {
        if (root_ == nil) return end;
        Handle at = root_;
        for (std::uint32_t height = height_; height != 0; --height) at = child(at, node(at).count - 1);
        return last_of(at);
    }

    LOWLAT_INLINE void descend(std::int64_t key, Path& path) const {
        Handle at = root_;
        for (std::uint32_t height = height_;; --height) {
            const std::uint32_t found = node(at).lower_bound(key);
            path.steps[height] = {at, found};
            if (height == 0) return;
            at = child(at, found);
        }
    }

    Handle acquire() {
        const Handle handle = room_->acquire();
        if (handle == nil) broken("there are nodes for every far level");
        (*room_)[handle].clear();
        return handle;
    }

    /// Free a node and all to the right of it.
    void release_row(Handle first) {
        while (first != nil) {
            const Handle next = node(first).next;
            room_->release(first);
            first = next;
        }
    }

    /// Split the full nodes of a path, from the leaf up, and add the key.
    LOWLAT_APART void insert_and_split(Path& path, std::int64_t key, Handle handle) {
        for (std::uint32_t height = 0;; ++height) {
            const Step step = path.steps[height];
            const bool split = node(step.node).full();
            const Handle right = split ? split_off(step.node) : nil;
            const std::uint32_t kept = node(step.node).count;
            const bool goes_right = split && step.at >= kept;
            put(goes_right ? right : step.node, goes_right ? step.at - kept : step.at, height, key, handle);
            if (!split) return;
            key = node(step.node).keys[node(step.node).count - 1];
            handle = right;
            if (height == height_) return add_root(key, handle);
        }
    }

    /// Add an entry. That of an inner node is the left half of a split child; `handle` is the right half and takes the
    /// child's key.
    void put(Handle at, std::uint32_t place, std::uint32_t height, std::int64_t key, Handle handle) {
        SparseNode& node = (*room_)[at];
        if (height == 0) return node.insert(place, key, handle);
        node.insert(place, key, node.handles[place]);
        node.handles[place + 1] = handle;
    }

    /// Move the upper half of a full node to a new one. An entry that is to be added at `entries_min` goes there too.
    Handle split_off(Handle left) {
        const Handle right = acquire();
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
        const Handle root = acquire();
        (*room_)[root].insert(0, key, root_);
        (*room_)[root].insert(1, SparseNode::unused, right);
        root_ = root;
        ++height_;
    }

    /// After an erasure: have no node but the root with too few entries, and no root of one child or of nothing.
    LOWLAT_APART void refill(const Path& path) {
        for (std::uint32_t height = 0; height < height_; ++height) {
            if (node(path.steps[height].node).count >= SparseNode::entries_min) return;
            const Step& parent = path.steps[height + 1];
            refill_child((*room_)[parent.node], parent.at == 0 ? 0 : parent.at - 1);
        }
        if (height_ != 0 && node(root_).count == 1) {
            const Handle below = node(root_).handles[0];
            room_->release(root_);
            root_ = below;
            --height_;
        } else if (node(root_).count == 0) {
            room_->release(root_);
            root_ = nil;
        }
    }

    /// Merge the children `left` and `left + 1`, or have them share their entries.
    void refill_child(SparseNode& parent, std::uint32_t left) {
        SparseNode& first = (*room_)[parent.handles[left]];
        SparseNode& second = (*room_)[parent.handles[left + 1]];
        const std::uint32_t all = first.count + second.count;
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
        room_->release(parent.handles[left + 1]);
        parent.handles[left + 1] = parent.handles[left];
        parent.erase(left);
    }

    SparseRoom* room_;
    Handle root_ = nil;
    std::uint32_t height_ = 0;  // of the root above the leaves
    std::uint32_t size_ = 0;
};

}  // namespace lowlat
