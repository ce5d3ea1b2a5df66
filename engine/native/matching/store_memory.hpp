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
        return node_bytes(orders) + slot_bytes(OrderIndex::slots_for(orders)) + AttributesMemory::bytes_for(orders) +
               sparse_bytes(sparse_nodes(orders, symbols * Book::sparse_trees)) + tape_bytes(trades);
    }

    /// Nodes for this many orders (and as many levels), their attributes, and an empty index.
    void make_orders(const EngineConfig& settings, Nodes& nodes, Pool<OrderAttributes>& attributes,
                     ExpiryHeap& expiries, OrderIndex& index) {
        const std::uint32_t orders = settings.orders;
        const std::uint32_t room = settings.orders_with_room();
        const std::uint64_t slots = OrderIndex::slots_for(orders);
        const std::uint64_t far = far_nodes(orders);
        sparse_region_ = LockedRegion(sparse_bytes(far), settings.touch, sparse_bytes(far_nodes(room)));
        node_region_ = LockedRegion(node_bytes(orders), settings.touch, node_bytes(room));
        slot_region_ = LockedRegion(slot_bytes(slots), settings.touch, slot_bytes(OrderIndex::slots_for(room)));
        attributes_memory_ = AttributesMemory(orders, room);
        place_sparse(far);
        nodes.move_to(node_region_.take<Node>(2 * orders + 1), 2 * orders);
        index = OrderIndex({slot_region_.take<Handle>(slots), slots}, settings.ids);
        attributes_memory_.place(attributes, expiries);
    }

    /// Room for more orders, and for an index of twice the slots; nothing is copied. Throws std::bad_alloc; what was
    /// there is as it was then, but perhaps elsewhere.
    void grow_orders(std::uint32_t orders, Nodes& nodes, Pool<OrderAttributes>& attributes, ExpiryHeap& expiries,
                     OrderIndex& index) {
        const std::uint64_t slots = 2 * index.slots();
        const std::uint64_t far = far_nodes(orders);
        sparse_region_.grow(sparse_bytes(far));
        place_sparse(far);
        node_region_.grow(node_bytes(orders));
        nodes.move_to(node_region_.take<Node>(2 * orders + 1), nodes.capacity());
        slot_region_.grow(slot_bytes(slots));
        index.move_to(slot_region_.take<Handle>(slots));
        attributes_memory_.grow(orders, attributes, expiries);
        nodes.move_to(&nodes[nil], 2 * orders);
        index.double_slots();
    }

    /// How many orders a pool that may grow has in use before its growth is prepared, in steps of extend_orders().
    static constexpr std::uint32_t orders_before_steps(std::uint32_t orders_max) {
        return orders_max - std::min(orders_max, regions * step_of(orders_max));
    }

    /// In a pool of `orders_max`, make nodes for a few more orders resident, and use slots for them; near its end, also
    /// prepare part of its next growth. Returns for how many orders there are some now.
    template <typename HomeOf, typename Link>
    std::uint32_t extend_orders(std::uint32_t orders, std::uint32_t orders_max, OrderIndex& index, HomeOf home_of,
                                Link link) {
        const std::uint32_t more = std::min(orders + step_of(orders_max), orders_max);
        const std::uint64_t slots = index.slots() * more / orders_max;
        sparse_region_.touch(sparse_bytes(far_nodes(more)));
        node_region_.touch((2 * std::uint64_t{more} + 1) * sizeof(Node));
        slot_region_.touch(slots * sizeof(Handle));
        index.split(slots, home_of, link);
        if (more >= orders_before_steps(orders_max)) grow_ahead(2 * orders_max, index);
        return more;
    }

    /// More attributes for the pool, which has none left.
    void extend_attributes(Pool<OrderAttributes>& attributes) { attributes_memory_.extend(attributes); }

    /// How many levels are outside the ladders' windows.
    LOWLAT_INLINE std::uint32_t far_levels() const { return sparse_room_.levels(); }

    void make_tape(const EngineConfig& settings, TradeTape& tape) {
        tape_region_ = LockedRegion(tape_bytes(settings.trades), Touch::all, tape_bytes(settings.trades_with_room()));
        tape = TradeTape(tape_region_.take<Trade>(settings.trades), settings.trades);
    }

    /// Throws std::bad_alloc, with nothing changed.
    void grow_tape(std::uint64_t trades, TradeTape& tape) {
        tape_region_.grow(tape_bytes(trades));
        tape_region_.touch_on_demand();
        tape.grow(tape_region_.take<Trade>(trades), trades);
    }

    /// One book per symbol, added to `books`. Those of the first call are made before the orders: how many there are
    /// decides how much room far levels need. Throws std::bad_alloc, with nothing changed.
    void add_books(const EngineConfig& settings, std::vector<Book>& books) {
        const auto room = [](std::uint32_t places) {
            return LockedRegion::room_for<Handle>(places) +
                   LockedRegion::room_for<std::uint64_t>(BitmapTree::words(places));
        };
        const std::uint32_t places = settings.window_places();
        const std::uint32_t stop_places = settings.stop_places();
        LockedRegion region(settings.symbols.size() * 2 * (room(places) + room(stop_places)), settings.touch);
        const auto ladder = [&](std::uint32_t size) {
            Handle* window = region.take<Handle>(size);
            return Ladder(window, region.take<std::uint64_t>(BitmapTree::words(size)), size, &sparse_room_);
        };
        const std::size_t count = books.size() + settings.symbols.size();
        book_regions_.reserve(book_regions_.size() + 1);
        if (count > books.capacity()) books.reserve(std::max(count, 2 * books.size()));
        sparse_room_.note_change();  // the notes say which tree by its address, and trees may have moved
        for (const SymbolRules& rules : settings.symbols)
            books.emplace_back(rules, &sparse_room_, ladder(places), ladder(places), ladder(stop_places),
                               ladder(stop_places));
        book_regions_.push_back(std::move(region));
        sparse_trees_ = books.size() * Book::sparse_trees;
    }

    /// Before a further add_books(): room for the far levels of so many symbols, and of as many orders as there is room
    /// for; that of the first `resident` is made resident. Throws std::bad_alloc, with nothing changed.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): in the order of for whom, and how many
    void grow_sparse(std::uint64_t symbols, std::uint32_t orders_max, std::uint32_t resident) {
        const std::uint64_t trees = symbols * Book::sparse_trees;
        sparse_region_.grow(sparse_bytes(sparse_nodes(orders_max, trees)));
        sparse_trees_ = trees;
        const std::uint64_t far = far_nodes(orders_max);
        place_sparse(far);
        sparse_region_.touch(sparse_bytes(far_nodes(resident)));
    }

    /// Call `visit(part, region)` for all memory taken from the system.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        visit("orders and levels", node_region_);
        visit("id index", slot_region_);
        attributes_memory_.for_each_region(visit);
        visit("trade tape", tape_region_);
        for (const LockedRegion& region : book_regions_) visit("price windows", region);
        visit("levels outside the windows", sparse_region_);
    }

  private:
    static constexpr std::uint32_t step_of(std::uint32_t orders_max) {
        return std::clamp<std::uint32_t>(orders_max / 16, 1, 256);
    }

    /// Do for one region what a growth to so many orders has to do for each: several system calls. If there is no
    /// memory for the largest, nothing is taken from what else may need some.
    void grow_ahead(std::uint32_t orders, const OrderIndex& index) {
        static_cast<void>(attributes_memory_.grow_ahead(orders) || node_region_.grow_ahead(node_bytes(orders)) ||
                          sparse_region_.grow_ahead(sparse_bytes(far_nodes(orders))) ||
                          slot_region_.grow_ahead(slot_bytes(2 * index.slots())));
    }
    static constexpr std::uint32_t regions = 5;  // of these

    /// The most nodes that so many levels outside the ladders' windows need.
    std::uint64_t far_nodes(std::uint64_t levels) const { return sparse_nodes(levels, sparse_trees_); }
    void place_sparse(std::uint64_t nodes) {
        sparse_room_.move_to(sparse_region_.take<SparseNode>(nodes + 1), static_cast<std::uint32_t>(nodes));
    }

    static std::uint64_t sparse_bytes(std::uint64_t nodes) { return LockedRegion::room_for<SparseNode>(nodes + 1); }
    static std::uint64_t node_bytes(std::uint64_t orders) { return LockedRegion::room_for<Node>(2 * orders + 1); }
    static std::uint64_t tape_bytes(std::uint64_t trades) { return LockedRegion::room_for<Trade>(trades); }
    static std::uint64_t slot_bytes(std::uint64_t slots) { return LockedRegion::room_for<Handle>(slots); }

    std::uint64_t sparse_trees_ = 0;
    LockedRegion sparse_region_;
    SparseRoom sparse_room_;
    LockedRegion node_region_;
    LockedRegion slot_region_;
    AttributesMemory attributes_memory_;
    LockedRegion tape_region_;
    std::vector<LockedRegion> book_regions_;
};

}  // namespace lowlat
