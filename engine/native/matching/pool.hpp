// Nodes in one array, with 32-bit handles. The last node released is the first acquired, so it is still in cache.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Identifies a node of a pool; not for arithmetic.
enum class Handle : std::uint32_t {};
inline constexpr Handle nil{0};  // index 0 of every pool is never handed out

LOWLAT_INLINE constexpr std::uint32_t index_of(Handle handle) {
    return static_cast<std::uint32_t>(handle);
}

/// Report a programming error that would corrupt the book, and abort.
[[noreturn]] LOWLAT_COLD inline void broken(const char* rule) {
    std::fprintf(stderr, "lowlat: broken invariant: %s\n", rule);
    std::abort();
}

/// `Node` has two handles, `next` and `prev`, which the pool uses while the node is free.
///
/// Not thread-safe: an engine has one matching thread. Acquire, release and reset are O(1); unused nodes above the
/// high-water mark stay untouched. Owns no memory.
template <typename Node>
class Pool {
  public:
    Pool() = default;

    /// Over `capacity + 1` nodes at `nodes`.
    Pool(Node* nodes, std::uint32_t capacity) : nodes_(nodes), capacity_(capacity) {}

    /// Acquire a node, or nil if the pool is exhausted. Its fields are stale: the caller sets every one.
    LOWLAT_INLINE Handle acquire() {
        if (likely(free_ != nil)) {
            const Handle handle = free_;
            free_ = nodes_[index_of(handle)].next;
            ++in_use_;
            return handle;
        }
        if (unlikely(high_water_ == capacity_)) return nil;
        ++in_use_;
        return Handle{++high_water_};
    }

    LOWLAT_INLINE bool exhausted() const { return free_ == nil && high_water_ == capacity_; }

    LOWLAT_INLINE void release(Handle handle) {
        Node& node = nodes_[index_of(handle)];
        if (unlikely(node.prev == free_mark)) broken("a pool's node is released once");
        node.next = free_;
        node.prev = free_mark;
        free_ = handle;
        --in_use_;
    }

    /// Free every node.
    void reset() {
        free_ = nil;
        high_water_ = 0;
        in_use_ = 0;
    }

    /// Use a larger array, to which the nodes have been copied.
    void move_to(Node* nodes, std::uint32_t capacity) {
        nodes_ = nodes;
        capacity_ = capacity;
    }

    LOWLAT_INLINE Node& operator[](Handle handle) { return nodes_[index_of(handle)]; }
    LOWLAT_INLINE const Node& operator[](Handle handle) const { return nodes_[index_of(handle)]; }
    const Node* data() const { return nodes_; }
    std::uint32_t in_use() const { return in_use_; }
    std::uint32_t capacity() const { return capacity_; }
    std::uint32_t high_water() const { return high_water_; }
    bool is_free(Handle handle) const {
        return index_of(handle) > high_water_ || nodes_[index_of(handle)].prev == free_mark;
    }

    /// The value of `prev` in a free node; no live node ever links to it.
    static constexpr Handle free_mark{0xFFFF'FFFF};

  private:
    Node* nodes_ = nullptr;
    Handle free_ = nil;
    std::uint32_t high_water_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace lowlat
