// Dry run of a simple order: what it would trade with, without changing the book.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/walk_count.hpp"

namespace lowlat {

/// The other side's levels up to key `limit`, and the quantity to trade against them.
struct DryRun {
    const Nodes& nodes;
    const Ladder& ladder;
    std::int64_t limit;
    std::int64_t quantity;

    /// Whether the levels hold the full quantity. Counts those that it looks at.
    bool fills(WalkCount& walks) const {
        std::int64_t left = quantity;
        std::uint64_t levels = 0;
        ladder.for_each([&](std::int64_t key, Handle level) {
            if (key > limit) return false;
            ++levels;
            left -= static_cast<std::int64_t>(
                std::min<std::uint64_t>(nodes[level].level.quantity, static_cast<std::uint64_t>(left)));
            return left > 0;
        });
        walks.count(levels);
        return left == 0;
    }

    /// Whether it would meet at most that many orders.
    bool meets_at_most(std::uint64_t orders) const {
        std::int64_t left = quantity;
        bool fits = true;
        ladder.for_each([&](std::int64_t key, Handle level) {
            if (key > limit) return false;
            for (Handle at = nodes[level].next; at != level && left > 0 && fits; at = nodes[at].next) {
                left -= nodes[at].order.quantity;
                fits = orders-- != 0;
            }
            return left > 0 && fits;
        });
        return fits;
    }
};

}  // namespace lowlat
