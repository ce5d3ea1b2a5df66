// A node of the trees in sparse_levels.hpp, and how many nodes a number of levels may need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Sorted keys, and a handle for each: of a level in a leaf, of a child in any other node. The key of a child is at
/// least every key below it and less than every key below the next; the last child of a tree's right edge has the
/// largest key there is. Unused keys also are the largest, so that a search needs no count.
struct alignas(64) SparseNode {
    static constexpr std::uint32_t capacity = 31;
    /// Of every node but a root.
    static constexpr std::uint32_t entries_min = capacity / 2;
    static constexpr std::int64_t unused = std::numeric_limits<std::int64_t>::max();

    std::int64_t keys[capacity];
    Handle handles[capacity];
    Handle next;  // the neighbors at this height of the tree; nil at the ends
    Handle prev;
    std::uint32_t height : 8;  // above the leaves
    std::uint32_t count : 24;  // of entries; 0 also while the node is free

    void clear(std::uint32_t its_height) {
        std::ranges::fill(keys, unused);
        next = prev = nil;
        height = its_height;
        count = 0;
    }

    bool full() const { return count == capacity; }

    /// The first entry whose key is not less than `key`; `count` or beyond if there is none. The first halvings
    /// depend on each other, the last seven comparisons do not: no branch, which would be mispredicted.
    LOWLAT_INLINE std::uint32_t lower_bound(std::int64_t key) const {
        static_assert(capacity == 31);
        std::uint32_t at = keys[15] < key ? 16 : 0;
        at += keys[at + 7] < key ? 8 : 0;
        std::uint32_t less = 0;
#pragma GCC unroll 8
        for (std::uint32_t step = 0; step < 7; ++step) less += keys[at + step] < key ? 1 : 0;
        return at + less;
    }

    void insert(std::uint32_t at, std::int64_t key, Handle handle) {
        std::copy_backward(keys + at, keys + count, keys + count + 1);
        std::copy_backward(handles + at, handles + count, handles + count + 1);
        keys[at] = key;
        handles[at] = handle;
        ++count;
    }

    void erase(std::uint32_t at) {
        std::copy(keys + at + 1, keys + count, keys + at);
        std::copy(handles + at + 1, handles + count, handles + at);
        keys[--count] = unused;
    }

    /// Move the first `moved` entries of the next node to the end of this one.
    void take_first(SparseNode& from, std::uint32_t moved) {
        std::copy_n(from.keys, moved, keys + count);
        std::copy_n(from.handles, moved, handles + count);
        std::copy(from.keys + moved, from.keys + from.count, from.keys);
        std::copy(from.handles + moved, from.handles + from.count, from.handles);
        std::fill_n(from.keys + from.count - moved, moved, unused);
        from.count -= moved;
        count += moved;
    }

    /// Move the last `moved` entries of the previous node to the front of this one.
    void take_last(SparseNode& from, std::uint32_t moved) {
        std::copy_backward(keys, keys + count, keys + count + moved);
        std::copy_backward(handles, handles + count, handles + count + moved);
        std::copy_n(from.keys + from.count - moved, moved, keys);
        std::copy_n(from.handles + from.count - moved, moved, handles);
        std::fill_n(from.keys + from.count - moved, moved, unused);
        from.count -= moved;
        count += moved;
    }
};
static_assert(sizeof(SparseNode) == 384, "six cache lines, four of them keys");

/// The nodes of all trees of an engine. There are enough for every possible level, so it is never exhausted.
class SparseRoom : public Pool<SparseNode> {
  public:
    using Pool::Pool;

    Handle add_node(std::uint32_t height) {
        const Handle handle = acquire();
        if (handle == nil) broken("there are nodes for every far level");
        (*this)[handle].clear(height);
        note_change();
        return handle;
    }

    void free_node(Handle handle) {
        (*this)[handle].count = 0;
        release(handle);
        note_change();
    }

    /// Of all trees.
    LOWLAT_INLINE std::uint32_t levels() const { return levels_; }
    void count_levels(std::uint32_t more) { levels_ += more; }

    /// Entries have moved between nodes, so that a key may belong to another leaf.
    void note_change() { ++changes_; }

    /// The leaf that a key of a tree belongs to, if it was noted since the last change; or nil.
    LOWLAT_INLINE Handle noted_leaf(const void* tree, std::int64_t key) const {
        const Noted& noted = noted_[slot_of(key)];
        return noted.tree == tree && noted.key == key && noted.changes == changes_ ? noted.leaf : nil;
    }
    LOWLAT_INLINE void note_leaf(const void* tree, std::int64_t key, Handle leaf) {
        noted_[slot_of(key)] = {tree, key, changes_, leaf};
    }

  private:
    struct Noted {
        const void* tree;
        std::int64_t key;
        std::uint64_t changes;
        Handle leaf;
    };
    static constexpr std::uint32_t slot_bits = 4;

    static LOWLAT_INLINE std::size_t slot_of(std::int64_t key) {
        return static_cast<std::uint64_t>(key) * 0x9E37'79B9'7F4A'7C15 >> (64 - slot_bits);
    }

    std::uint32_t levels_ = 0;
    std::uint64_t changes_ = 0;
    Noted noted_[1U << slot_bits]{};
};

/// The most nodes of `trees` trees that hold `levels` levels: 1/15 for the leaves, 1/15 of these for their parents
/// and so on, together less than 1/14, and a root each.
constexpr std::uint64_t sparse_nodes(std::uint64_t levels, std::uint64_t trees) {
    return levels / (SparseNode::entries_min - 1) + std::min(levels, trees);
}

}  // namespace lowlat
