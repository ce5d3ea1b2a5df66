// Nodes in one array, named by 32-bit handles; the last released is the first acquired, so it is still in cache.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Names a node of a pool; not a number to count with.
enum class Handle : std::uint32_t {};
inline constexpr Handle nil{0};  // index 0 of every pool is never handed out

LOWLAT_INLINE constexpr std::uint32_t index_of(Handle handle) {
    return static_cast<std::uint32_t>(handle);
}

/// A programmer's error that would corrupt the book: say which, and stop.
[[noreturn]] LOWLAT_COLD inline void broken(const char* rule) {
    std::fprintf(stderr, "lowlat: broken invariant: %s\n", rule);
    std::abort();
}

/// `Node` has two handles, `next` and `prev`, which are the pool's while the node is free.
///
/// Single-threaded: an engine has one matching thread, and nothing here locks. Acquire, release and reset are O(1);
/// nodes never used stay untouched behind the high-water mark. The pool owns no memory.
template <typename Node>
class Pool {
  public:
    Pool() = default;

    /// Over `capacity + 1` nodes at `nodes`.
    Pool(Node* nodes, std::uint32_t capacity) : nodes_(nodes), capacity_(capacity) {}

    /// A node, or nil when the pool is dry. Its fields hold what they held: the caller sets every one.
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

    LOWLAT_INLINE void release(Handle handle) {
        Node& node = nodes_[index_of(handle)];
        if (unlikely(node.prev == free_mark)) broken("a pool's node is released once");
        node.next = free_;
        node.prev = free_mark;
        free_ = handle;
        --in_use_;
    }

    /// Every node is free again.
    void reset() {
        free_ = nil;
        high_water_ = 0;
        in_use_ = 0;
    }

    /// The nodes have been copied to a larger array.
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

    /// What `prev` of a free node holds; no live node is ever linked to it.
    static constexpr Handle free_mark{0xFFFF'FFFF};

  private:
    Node* nodes_ = nullptr;
    Handle free_ = nil;
    std::uint32_t high_water_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace lowlat
