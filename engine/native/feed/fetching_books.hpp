// The store, and which of its memory upcoming events of a feed will touch. Prefetching affects only time.
#pragma once

#include <cstdint>

#include "engine/native/feed/records.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Like FetchingStore, with two stages more: a feed has thousands of books, whose first lines are rarely in cache, and
/// its events name only the id of an order that leaves, so that the level it leaves is known late.
class FetchingBooks : public OrderStore {
  public:
    using OrderStore::OrderStore;

  protected:
    // How many events ahead each cache line is prefetched: the book; then the id's slot, and the price's entry in the
    // ladder; then the nodes that these name; then the neighbors of both; and at last what the level's end touches.
    static constexpr std::uint64_t fetch_book = 24, fetch_slot = 16, fetch_node = 10, fetch_neighbors = 6,
                                   fetch_level = 3;

    /// Where an upcoming event will look first. Books may move meanwhile, so it has none's address.
    struct Ahead {
        OrderIndex::Home home;
        std::uint32_t symbol;
        const Handle* level;
    };

    /// Event `at` has entry at % fetch_slot of `ahead`, from fetch_slot events before it on; `events` are readable up
    /// to fetch_book events after it. As in FetchingStore, no branch depends on an event.
    LOWLAT_INLINE void fetch_ahead(const OrderEvent* events, std::uint64_t at, Ahead* ahead) const {
        fetch_level_of(ahead[(at + fetch_level) % fetch_slot]);
        fetch_neighbors_of(ahead[(at + fetch_neighbors) % fetch_slot]);
        fetch_node_of(ahead[(at + fetch_node) % fetch_slot]);
        ahead[at % fetch_slot] = look_ahead(events[at + fetch_slot]);
        fetch_book_of(events[at + fetch_book]);
    }

    LOWLAT_INLINE Ahead look_ahead(const OrderEvent& event) const {
        const std::uint32_t symbol = known_symbol(event);
        const Book& book = books_[symbol];
        const auto side = static_cast<Side>(event.side & 1);
        const std::int64_t key = book.key_of(side, event.price);
        const Ladder& ladder = book.ladders[side];
        const Ahead ahead{index_.home(event.order_id, event.symbol), symbol, ladder.slot_of(key)};
        prefetch(index_.slot(ahead.home));
        prefetch(ahead.level);
        prefetch(ladder.bits_of(key));
        return ahead;
    }

  private:
    LOWLAT_INLINE std::uint32_t known_symbol(const OrderEvent& event) const {
        return event.symbol < symbols_ ? event.symbol : 0;
    }

    LOWLAT_INLINE void fetch_book_of(const OrderEvent& event) const {
        const Book& book = books_[known_symbol(event)];
        prefetch(&book.rules);
        prefetch(&book.band);
        prefetch(&book.ladders[Side::buy]);
        prefetch(&book.ladders[Side::sell]);
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
        prefetch(&nodes_[nodes_[*ahead.level].prev]);
    }

    /// A slot may name a node that is a level by now, or free, and has no level then.
    LOWLAT_INLINE void fetch_level_of(const Ahead& ahead) const {
        const OrderBody& order = nodes_[index_.first(ahead.home)].order;
        const Handle level = index_of(order.level) <= nodes_.high_water() ? order.level : nil;
        const Ladder& ladder = books_[ahead.symbol].ladders[static_cast<Side>(byte_of(order.side) & 1)];
        prefetch(ladder.slot_of(nodes_[level].level.key));
        prefetch(ladder.bits_of(nodes_[level].level.key));
    }
};

}  // namespace lowlat
