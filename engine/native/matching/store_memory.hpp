// The memory of an engine's store: its layout and its growth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/native/matching/attributes_memory.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/expiry_heap.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/sparse_node.hpp"
#include "engine/native/matching/trade_tape.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

/// Owns the regions. Declared before the members that use them, so it outlives them. Everything that can throw
/// std::bad_alloc happens before the first change.
class StoreMemory {
  public:
    /// Bytes of all pools of this size; without the books, whose size depends on the number of symbols only.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): in the order of EngineConfig
    static std::uint64_t bytes_for(std::uint64_t symbols, std::uint32_t orders, std::uint64_t trades) {
        return orders_bytes(orders) + AttributesMemory::bytes_for(orders) + sparse_bytes(orders, symbols) +
               LockedRegion::room_for<Trade>(trades);
    }

    /// Nodes for this many orders (and as many levels), their attributes, and an empty index.
    void move_orders(std::uint32_t orders, Nodes& nodes, Pool<OrderAttributes>& attributes, ExpiryHeap& expiries,
                     OrderIndex& index) {
        const std::uint32_t capacity = 2 * orders;
        const std::uint64_t slots = OrderIndex::slots_for(orders);
        retired_.reserve(retired_.size() + 1);
        AttributesMemory attributes_memory(orders);
        LockedRegion region(orders_bytes(orders));
        Node* const to = region.take<Node>(capacity + 1);
        index = OrderIndex({region.take<Handle>(slots), slots}, index.seed());
        if (nodes.data() != nullptr) std::copy_n(nodes.data(), nodes.high_water() + 1, to);
        nodes.move_to(to, capacity);
        attributes_memory.take_over(attributes, expiries);
        attributes_memory_ = std::move(attributes_memory);
        if (node_region_.bytes() != 0) retired_.push_back(std::move(node_region_));
        node_region_ = std::move(region);
    }

    /// More attributes for the pool, which has none left.
    void extend_attributes(Pool<OrderAttributes>& attributes) { attributes_memory_.extend(attributes); }

    /// Room for so many levels outside the ladders' windows.
    void move_sparse(std::uint32_t levels, std::uint64_t symbols) {
        const auto nodes = static_cast<std::uint32_t>(sparse_nodes(levels, symbols * Book::sparse_trees));
        if (nodes <= sparse_room_.capacity()) return;
        LockedRegion region(sparse_bytes(levels, symbols));
        SparseNode* const to = region.take<SparseNode>(nodes + 1);
        if (sparse_room_.data() != nullptr) std::copy_n(sparse_room_.data(), sparse_room_.high_water() + 1, to);
        sparse_room_.move_to(to, nodes);
        sparse_region_ = std::move(region);
    }

    /// How many levels are outside the ladders' windows.
    LOWLAT_INLINE std::uint32_t far_levels() const { return sparse_room_.levels(); }

    void move_tape(std::uint64_t trades, TradeTape& tape) {
        LockedRegion region(LockedRegion::room_for<Trade>(trades));
        tape.move_to(region.take<Trade>(trades), trades);
        tape_region_ = std::move(region);
    }

    /// One book per symbol.
    std::vector<Book> make_books(const EngineConfig& settings) {
        const auto room = [](std::uint32_t places) {
            return LockedRegion::room_for<Handle>(places) +
                   LockedRegion::room_for<std::uint64_t>(BitmapTree::words(places));
        };
        const std::uint32_t places = settings.window_places();
        const std::uint32_t stop_places = settings.stop_places();
        LockedRegion region(settings.symbols.size() * 2 * (room(places) + room(stop_places)));
        const auto ladder = [&](std::uint32_t size) {
            Handle* window = region.take<Handle>(size);
            return Ladder(window, region.take<std::uint64_t>(BitmapTree::words(size)), size, &sparse_room_);
        };
        std::vector<Book> books;
        books.reserve(settings.symbols.size());
        for (const SymbolRules& rules : settings.symbols)
            books.emplace_back(rules, &sparse_room_, ladder(places), ladder(places), ladder(stop_places),
                               ladder(stop_places));
        book_region_ = std::move(region);
        return books;
    }

    /// Free the old index, which is no longer read.
    void drop_retired() { retired_.clear(); }

    /// Call `visit(part, region)` for all memory taken from the system.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        visit("orders, levels and id index", node_region_);
        attributes_memory_.for_each_region(visit);
        visit("trade tape", tape_region_);
        visit("price windows", book_region_);
        visit("levels outside the windows", sparse_region_);
    }

  private:
    static std::uint64_t orders_bytes(std::uint64_t orders) {
        return LockedRegion::room_for<Node>(2 * orders + 1) +
               LockedRegion::room_for<Handle>(OrderIndex::slots_for(orders));
    }

    static std::uint64_t sparse_bytes(std::uint64_t levels, std::uint64_t symbols) {
        return LockedRegion::room_for<SparseNode>(sparse_nodes(levels, symbols * Book::sparse_trees) + 1);
    }

    LockedRegion sparse_region_;
    SparseRoom sparse_room_;
    LockedRegion node_region_;
    AttributesMemory attributes_memory_;
    std::vector<LockedRegion> retired_;  // the old index, which prefetches of the current batch may still read
    LockedRegion tape_region_;
    LockedRegion book_region_;
};

}  // namespace lowlat
