// The link of an order in its chain of the index. It shares the field of the handle of the order's attributes, which
// few orders have; theirs is among the attributes.
#pragma once

#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/pool.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

LOWLAT_INLINE bool has_attributes(const OrderBody& order) {
    return (order.attributes & attribute_kept) != 0;
}

/// Of mutable or const pools.
template <typename NodePool, typename AttributesPool>
struct OrderChain {
    NodePool& nodes;
    AttributesPool& attributes;

    LOWLAT_INLINE auto& operator()(Handle handle) const {
        auto& order = nodes[handle].order;
        return unlikely(has_attributes(order)) ? attributes[order.attributes_handle].chained : order.chained;
    }
};

}  // namespace lowlat
