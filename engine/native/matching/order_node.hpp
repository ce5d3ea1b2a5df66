// Orders and price levels are 32-byte nodes in one pool, so that a queue is a ring through its level. A trailing stop,
// which is in no level, has a second node instead.
#pragma once

#include <cstdint>

#include "engine/native/matching/pool.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

struct OrderBody {
    std::uint64_t id;
    std::uint32_t quantity;  // what remains, or an iceberg's displayed slice; never 0 while the order rests
    Handle level;            // of a trailing stop, the node of its TrailBody
    union {
        Handle attributes_handle;  // its OrderAttributes, if it has some
        Handle chained;            // else its link in the index; see order_chain.hpp
    };
    std::uint16_t symbol;
    Side side;
    std::uint8_t attributes;  // bits of order_attributes.hpp
};

struct LevelBody {
    std::int64_t key;  // see ladder.hpp
    std::uint64_t quantity;
    std::uint32_t order_count;
    Handle leaf;  // where it was put in the tree of the levels outside the window; nil if it was not
};

/// What a trailing stop's branch sums up; see trailing_stops.hpp.
struct TrailBody {
    std::uint64_t since;  // of the order itself: when its trigger was last moved
    std::int64_t least_distance;
    std::int64_t best_key;
};

/// The level is the ring's sentinel: `level.next` is the oldest order, `level.prev` the youngest. Removing an order
/// writes its two neighbors, which may be orders or the level: no branch on "first" or "last".
struct alignas(32) Node {
    Handle next;
    Handle prev;
    union {
        OrderBody order;
        LevelBody level;
        TrailBody trail;
    };
};
static_assert(sizeof(Node) == 32, "two nodes to a cache line, none across two");

using Nodes = Pool<Node>;

/// Append `order` to the queue of `level`.
LOWLAT_INLINE void link_last(Nodes& nodes, Handle level, Handle order) {
    const Handle last = nodes[level].prev;
    nodes[order].next = level;
    nodes[order].prev = last;
    nodes[last].next = order;
    nodes[level].prev = order;
}

LOWLAT_INLINE void unlink(Nodes& nodes, Handle order) {
    const Handle next = nodes[order].next;
    const Handle prev = nodes[order].prev;
    nodes[prev].next = next;
    nodes[next].prev = prev;
}

}  // namespace lowlat
