// Trailing stops of one side, in trees by time of acceptance: a better price moves all that it passes at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_tree.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// The trail distance of a stop, in price units or in basis points of the price.
struct Trail {
    std::int64_t distance;
    std::uint8_t flags;
};

/// Wider than a price. Not of the standard, but of both compilers.
__extension__ using WidePrice = __int128;

/// Trigger of a trailing stop while the best price since its entry is `anchor`. The result may overflow for a buy stop
/// (or a negative price): then the caller checks first.
inline WidePrice trailing_trigger(const SymbolRules& rules, Side side, std::int64_t anchor, Trail trail) {
    WidePrice away = trail.distance;
    if ((trail.flags & flag_trail_basis_points) != 0) {
        const WidePrice magnitude = anchor < 0 ? -static_cast<WidePrice>(anchor) : anchor;
        away = std::max<WidePrice>(magnitude * trail.distance / basis_points_max / rules.tick, 1) * rules.tick;
    }
    return side == Side::buy ? anchor + away : anchor - away;
}

/// A waiting trailing stop: where its trigger is, and since when. Both may be those of a branch above it that moved.
struct TrailingStop {
    Handle handle;
    std::int64_t anchor;
    std::uint64_t since;
};

/// Stops in price units are in one tree, stops in basis points in one per distance, so that within a tree the older has
/// the better anchor, and a price passes the youngest only. An order's links are in its node; what is summed over its
/// branch is in a second node, where other orders have their level.
///
/// When an anchor moves, a distance in price units always moves its trigger. One in basis points may not, because it is
/// rounded; the stop then keeps its place in time.
class TrailingStops {
  public:
    TrailingStops(Nodes& nodes, Pool<OrderAttributes>& attributes, Book& book, Side side)
        : nodes_(nodes), attributes_(attributes), book_(book), side_(side), trees_(book.trailing[side]) {}

    /// Add a live order, whose anchor is in its attributes, as waiting at its trigger from `since` on.
    void add(Handle handle, std::uint64_t since) {
        const Handle sums = nodes_.acquire();
        nodes_[sums].next = nodes_[sums].prev = nil;
        nodes_[sums].trail = {.since = since, .least_distance = 0, .best_key = 0};
        nodes_[handle].order.level = sums;
        OrderAttributes& stop = attributes_of(handle);
        stop.pending = 0;
        if (trees_.empty() || passed(stop.anchor, trees_.nearest)) trees_.nearest = stop.anchor;
        const bool first = trees_.empty();
        Handle& tree = tree_of(handle);
        OrderTree(Links{*this}).insert(tree, handle);
        if (first || sums_of(tree).best_key < trees_.best_key) trees_.best_key = sums_of(tree).best_key;
    }

    void remove(Handle handle) {
        Handle& tree = tree_of(handle);
        const bool best = sums_of(tree).best_key == trees_.best_key;
        OrderTree(Links{*this}).erase(tree, handle);
        trees_.best_left |= best && (tree == nil || sums_of(tree).best_key != trees_.best_key);
        if (tree == nil && relative(handle)) trees_.relative.erase(attributes_of(handle).distance, nil, nil);
        nodes_.release(nodes_[handle].order.level);
        nodes_[handle].order.level = nil;
    }

    /// Whether a price whose key is `reached` reaches a trigger.
    bool reached(std::int64_t reached_key) {
        if (trees_.empty() || trees_.best_key > reached_key) return false;
        if (trees_.best_left) find_best();
        return trees_.best_key <= reached_key;
    }

    /// The key of the trigger that a price reaches first; current after reached().
    std::int64_t best_key() const { return trees_.best_key; }

    /// Of the stops whose trigger has this key, the best, the one that came to it first; or nil. Current until the next
    /// change.
    Handle first_at(std::int64_t key) {
        Handle first = nil;
        for_each_tree([&](Handle tree) {
            if (sums_of(tree).best_key != key) return;
            const Handle found = find(tree, key);
            if (first == nil || came_before(found, first)) first = found;
        });
        return first;
    }

    /// When the stop that first_at() found came to its trigger.
    std::uint64_t since(Handle handle) const { return sums_of(handle).since; }

    /// Move the anchors that a price has passed; triggers that change have done so at `moment`.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void follow(std::int64_t price, std::uint64_t moment) {
        trees_.nearest = price;
        const auto anchor_moves = [&](Handle at) { return passed(attributes_of(at).anchor, price); };
        const auto trigger_moves = [&](Handle at) {
            const OrderAttributes& stop = attributes_of(at);
            return passed(stop.anchor, price) && key(stop.anchor, stop) != key(price, stop);
        };
        const auto move = [&](Handle at, bool branch) { set_anchor(at, price, branch); };
        const auto mark = [&](Handle at, bool branch) { set_since(at, moment, branch); };
        const auto move_and_mark = [&](Handle at, bool branch) {
            move(at, branch);
            mark(at, branch);
        };
        assign(trees_.absolute, anchor_moves, move_and_mark);
        trees_.relative.for_each([&](std::int64_t, Handle tree) {
            assign(tree, trigger_moves, mark);
            assign(tree, anchor_moves, move);
        });
        find_best();
    }

    /// Whether the price may have passed an anchor.
    bool follows(std::int64_t price) const { return !trees_.empty() && passed(trees_.nearest, price); }

    /// Call `visit(TrailingStop)` for every stop.
    template <typename Visit>
    static void for_each(const Nodes& nodes, const Pool<OrderAttributes>& attributes, const Book& book, Side side,
                         Visit visit) {
        const Walk walk{nodes, attributes};
        const Book::Trailing& trees = book.trailing[side];
        walk.branch(trees.absolute, {}, {}, visit);
        trees.relative.for_each([&](std::int64_t, Handle tree) { walk.branch(tree, {}, {}, visit); });
    }

    /// The key of a trigger on the ladder of stops: buy stops like asks, sell stops like bids.
    static std::int64_t key_at(const Book& book, Side side, std::int64_t anchor, const OrderAttributes& stop) {
        return key_at(book, side, anchor, Trail{.distance = stop.distance, .flags = stop.flags});
    }
    static std::int64_t key_at(const Book& book, Side side, std::int64_t anchor, Trail trail) {
        if ((trail.flags & flag_trail_basis_points) == 0) [[likely]]
            return book.key_of(opposite(side), side == Side::buy ? anchor + trail.distance : anchor - trail.distance);
        return book.key_of(opposite(side),
                           static_cast<std::int64_t>(trailing_trigger(book.rules, side, anchor, trail)));
    }

  private:
    // Bits of `OrderAttributes::pending`.
    static constexpr std::uint8_t children_take_anchor = 1;
    static constexpr std::uint8_t children_take_since = 2;

    OrderAttributes& attributes_of(Handle handle) { return attributes_[nodes_[handle].order.attributes_handle]; }
    const OrderAttributes& attributes_of(Handle handle) const {
        return attributes_[nodes_[handle].order.attributes_handle];
    }
    TrailBody& sums_of(Handle handle) { return nodes_[nodes_[handle].order.level].trail; }
    const TrailBody& sums_of(Handle handle) const { return nodes_[nodes_[handle].order.level].trail; }

    bool relative(Handle handle) const { return (attributes_of(handle).flags & flag_trail_basis_points) != 0; }
    Handle& tree_of(Handle handle) {
        return relative(handle) ? trees_.relative.at(attributes_of(handle).distance) : trees_.absolute;
    }
    template <typename Visit>
    void for_each_tree(Visit visit) const {
        if (trees_.absolute != nil) visit(trees_.absolute);
        trees_.relative.for_each([&](std::int64_t, Handle tree) { visit(tree); });
    }

    std::int64_t key(std::int64_t anchor, const OrderAttributes& stop) const {
        return key_at(book_, side_, anchor, stop);
    }
    bool passed(std::int64_t anchor, std::int64_t price) const {
        return side_ == Side::buy ? price < anchor : price > anchor;
    }
    bool came_before(Handle one, Handle other) const {
        if (sums_of(one).since != sums_of(other).since) return sums_of(one).since < sums_of(other).since;
        return attributes_of(one).accepted < attributes_of(other).accepted;
    }

    void find_best() {
        trees_.best_key = Book::any_key;
        trees_.best_left = false;
        for_each_tree([&](Handle tree) { trees_.best_key = std::min(trees_.best_key, sums_of(tree).best_key); });
    }

    /// The oldest of a tree's stops whose trigger has the tree's best key.
    Handle find(Handle root, std::int64_t best) {
        for (Handle at = root;;) {
            Links{*this}.push(at);
            const Handle left = nodes_[at].next;
            if (left != nil && sums_of(left).best_key == best) {
                at = left;
            } else if (key(attributes_of(at).anchor, attributes_of(at)) == best) {
                return at;
            } else {
                at = nodes_[at].prev;
            }
        }
    }

    // -- changes of whole branches ------------------------------------------------------------------------------------

    void set_anchor(Handle at, std::int64_t price, bool branch) {
        OrderAttributes& stop = attributes_of(at);
        stop.anchor = price;
        if (!branch) return;
        stop.pending |= children_take_anchor;
        sums_of(at).best_key = key_at(book_, side_, price, Trail{sums_of(at).least_distance, stop.flags});
    }

    void set_since(Handle at, std::uint64_t moment, bool branch) {
        sums_of(at).since = moment;
        if (branch) attributes_of(at).pending |= children_take_since;
    }

    /// `set(order, whole branch)` for the youngest orders of a tree: all those for which `is` holds.
    template <typename Is, typename Set>
    // NOLINTNEXTLINE(misc-no-recursion): a treap of n orders is O(log n) deep
    void assign(Handle root, Is is, Set set) {
        if (root == nil) return;
        Links{*this}.push(root);
        if (is(root)) {
            set(root, false);
            if (nodes_[root].prev != nil) set(nodes_[root].prev, true);
            assign(nodes_[root].next, is, set);
        } else {
            assign(nodes_[root].prev, is, set);
        }
        Links{*this}.pull(root);
    }

    struct Links {
        TrailingStops& stops;

        Handle& left(Handle handle) { return stops.nodes_[handle].next; }
        Handle& right(Handle handle) { return stops.nodes_[handle].prev; }
        bool before(Handle a, Handle b) const {
            return stops.attributes_of(a).accepted < stops.attributes_of(b).accepted;
        }
        std::uint64_t rank(Handle handle) const { return heap_rank(handle, &stops.book_); }

        void push(Handle handle) {
            OrderAttributes& stop = stops.attributes_of(handle);
            if (stop.pending == 0) return;
            for (const Handle child : {left(handle), right(handle)}) {
                if (child == nil) continue;
                if ((stop.pending & children_take_anchor) != 0) stops.set_anchor(child, stop.anchor, true);
                if ((stop.pending & children_take_since) != 0)
                    stops.set_since(child, stops.sums_of(handle).since, true);
            }
            stop.pending = 0;
        }

        void pull(Handle handle) {
            const OrderAttributes& stop = stops.attributes_of(handle);
            TrailBody& sums = stops.sums_of(handle);
            sums.least_distance = stop.distance;
            sums.best_key = stops.key(stop.anchor, stop);
            for (const Handle child : {left(handle), right(handle)}) {
                if (child == nil) continue;
                sums.least_distance = std::min(sums.least_distance, stops.sums_of(child).least_distance);
                sums.best_key = std::min(sums.best_key, stops.sums_of(child).best_key);
            }
        }
    };

    /// A walk that changes nothing: it carries what is pending.
    struct Walk {
        const Nodes& nodes;
        const Pool<OrderAttributes>& attributes;

        template <typename Visit>
        // NOLINTNEXTLINE(misc-no-recursion): as above
        void branch(Handle at, std::optional<std::int64_t> anchor, std::optional<std::uint64_t> since,
                    Visit& visit) const {
            if (at == nil) return;
            const OrderAttributes& stop = attributes[nodes[at].order.attributes_handle];
            const std::int64_t its_anchor = anchor.value_or(stop.anchor);
            const std::uint64_t its_since = since.value_or(nodes[nodes[at].order.level].trail.since);
            if ((stop.pending & children_take_anchor) != 0) anchor = its_anchor;
            if ((stop.pending & children_take_since) != 0) since = its_since;
            branch(nodes[at].next, anchor, since, visit);
            visit(TrailingStop{at, its_anchor, its_since});
            branch(nodes[at].prev, anchor, since, visit);
        }
    };

    Nodes& nodes_;
    Pool<OrderAttributes>& attributes_;
    Book& book_;
    const Side side_;
    Book::Trailing& trees_;
};

}  // namespace lowlat
