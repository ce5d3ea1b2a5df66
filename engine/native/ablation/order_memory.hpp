// Where an order's node comes from: lowlat's pool, or the heap.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

/// Nodes of the pool that the engine has, in memory that is resident from the start.
class PooledNodes {
  public:
    using Name = Handle;

    explicit PooledNodes(std::uint32_t nodes)
        : region_(LockedRegion::room_for<Node>(nodes + 1)), pool_(region_.take<Node>(nodes + 1), nodes) {}

    LOWLAT_INLINE Name acquire() { return pool_.acquire(); }
    LOWLAT_INLINE void release(Name name) { pool_.release(name); }
    LOWLAT_INLINE Node& operator[](Name name) { return pool_[name]; }

  private:
    LockedRegion region_;
    Pool<Node> pool_;
};

/// A new node for each order. It has the alignment of its fields: more would make each allocation several times as
/// slow.
class HeapNodes {
    struct HeapNode {
        Handle next;
        Handle prev;
        OrderBody order;
    };

  public:
    using Name = HeapNode*;

    explicit HeapNodes(std::uint32_t /*nodes*/) {}

    // What `new` and `delete` do anywhere else; here `new` also counts, for `lowlat bench`.
    LOWLAT_INLINE Name acquire() {
        void* block = std::malloc(sizeof(HeapNode));
        if (unlikely(block == nullptr)) throw std::bad_alloc();
        return new (block) HeapNode;
    }
    LOWLAT_INLINE void release(Name name) { std::free(name); }
    LOWLAT_INLINE HeapNode& operator[](Name name) { return *name; }
};

/// Orders at rest in a book; each operation cancels one of them, and enters another.
inline constexpr std::uint32_t resting_orders = 1U << 14;

template <typename Nodes>
Pass replace_orders(const Trial& trial) {
    Nodes nodes(resting_orders);
    std::vector<typename Nodes::Name> resting(resting_orders);
    // Written to, so that no page is first touched in an operation: that is another technique's.
    const auto enter = [&](std::uint64_t id) {
        const auto name = nodes.acquire();
        auto& node = nodes[name];
        node.next = node.prev = nil;
        node.order.id = id;
        node.order.quantity = 1;
        return name;
    };
    for (auto& name : resting) name = enter(0);
    Draw draw(trial.seed);
    std::vector<std::uint32_t> chosen(trial.operations);
    for (std::uint32_t& place : chosen) place = draw.below(resting_orders);
    const Pass pass = measured_operations(trial, [&](std::uint64_t at) {
        typename Nodes::Name& name = resting[chosen[at]];
        nodes.release(name);
        name = enter(at);
    });
    for (const auto& name : resting) nodes.release(name);
    return pass;
}

inline Pass measure_order_memory(const Trial& trial) {
    return trial.with ? replace_orders<PooledNodes>(trial) : replace_orders<HeapNodes>(trial);
}

}  // namespace lowlat
