// The store, and which of its memory upcoming commands will touch. Prefetching affects only time.
#pragma once

#include <cstdint>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class FetchingStore : public OrderStore {
  public:
    using OrderStore::OrderStore;

    /// Where an upcoming command will look first.
    struct Ahead {
        OrderIndex::Home home;
        const Handle* level;
    };

    // How many commands ahead each cache line is prefetched: first the id's slot and the price's ladder entry, then the
    // node and the level they name, then the node's neighbors, its level, and its attributes if it has any.
    static constexpr std::uint64_t fetch_slot = 16, fetch_node = 8, fetch_neighbors = 4;

    static constexpr std::uint64_t fetch_far = 2;  // and then, where there are many, the tree that holds far levels

    // No branch on the command's kind: it would be mispredicted once more per stage. Some prefetches are therefore
    // wasted; without an order, the pool's unused node 0 is fetched.

    LOWLAT_INLINE Ahead look_ahead(const Command& command) const {
        const Book& book = books_[command.symbol < symbols_ ? command.symbol : 0];
        const auto side = static_cast<Side>(command.side & 1);
        const Ahead ahead{index_.home(command.order_id, command.symbol),
                          book.ladders[side].slot_of(book.key_of(side, command.price))};
        prefetch(index_.slot(ahead.home));
        prefetch(ahead.level);
        return ahead;
    }

    LOWLAT_INLINE void fetch_node_of(const Ahead& ahead) const {
        prefetch(&nodes_[index_.first(ahead.home)]);
        prefetch(&nodes_[*ahead.level]);
    }

    LOWLAT_INLINE void fetch_neighbors_of(const Ahead& ahead) const {
        const Node& node = nodes_[index_.first(ahead.home)];
        prefetch(&nodes_[node.prev]);
        prefetch(&nodes_[node.next]);
        prefetch(&nodes_[node.order.level]);
    }

    /// Whether a command is likely enough to need a level outside a window.
    LOWLAT_INLINE bool many_far_levels() const { return memory_.far_levels() > nodes_.in_use() / 16; }

    /// Where a limit order will rest, or where the order is that a command names.
    LOWLAT_APART void fetch_far_of(const Command& command, const Ahead& ahead) const {
        __asm__ volatile("");  // else gcc drops the call: a function that only prefetches has no effect
        const Book& book = books_[command.symbol < symbols_ ? command.symbol : 0];
        if (command.kind == CommandType::limit) {
            const auto side = static_cast<Side>(command.side & 1);
            return book.ladders[side].fetch_far(book.key_of(side, command.price));
        }
        // A slot of an index that has just been replaced may name a node that is a level by now, not an order.
        const OrderBody& order = nodes_[index_.first(ahead.home)].order;
        if (index_of(order.level) > nodes_.high_water()) return;
        const Handle leaf = nodes_[order.level].level.leaf;
        if (leaf != nil) book.ladders[Side::buy].fetch_leaf(leaf);
    }

    LOWLAT_INLINE void fetch_attributes_of(const Ahead& ahead) const {
        prefetch(&attributes_[nodes_[index_.first(ahead.home)].order.attributes_handle]);
    }
};

}  // namespace lowlat
