// Sums over the orders of a book by priority, for a book in which commands would otherwise walk over many orders.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>

#include "engine/native/matching/depth_entries.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_tree.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// A part of the incoming orders' world: another order's participant (0: none) and its quantity on one side.
struct Reach {
    Side side;               // of the resting orders
    std::int64_t limit_key;  // the worst key that is reached
    std::uint64_t left;      // the quantity to trade
};

// NOLINTBEGIN(misc-no-recursion): a treap of n orders is O(log n) deep.

/// Knows each queued order of one book. Derived from the queues: built when needed and dropped at any time.
///
/// Three kinds of trees, ordered by priority: per side, the plain orders and the all-or-none orders; per side and
/// participant, that participant's orders. Each all-or-none order has its `deficit`: its quantity less everything that
/// rests within its reach, so it cannot trade while that is positive. A change on the other side changes the deficits
/// of a whole branch at once.
class DepthIndex {
  public:
    /// Throws std::bad_alloc.
    DepthIndex(const Nodes& nodes, const Pool<OrderAttributes>& attributes, DepthEntries& entries)
        : nodes_(nodes), attributes_(attributes), capacity_(nodes.capacity()), entries_(entries.share(capacity_)) {}

    /// Add all orders of the book to an empty index: `for_each(side, visit)` calls `visit(order)` by priority. Throws
    /// std::bad_alloc.
    template <typename ForEach>
    void fill(ForEach for_each) {
        for (const Side side : both_sides) fill_side(side, for_each);
        for (const Side side : both_sides) count_deficits(side, alone_[side]);
    }

    /// Add an order that has been queued. Throws std::bad_alloc; the index must then be dropped.
    void add(Handle handle) { add(handle, ++stamps_); }

    /// Remove an order that is about to leave its queue.
    void remove(Handle handle) {
        const Side side = order(handle).side;
        if (is_all_or_none(handle)) {
            OrderTree(AloneLinks{*this}).erase(alone_[side], handle);
        } else {
            OrderTree(PlainLinks{*this}).erase(plain_[side], handle);
        }
        if (const std::uint32_t participant_id = participant_of(handle); participant_id != 0) {
            const auto own = own_.find(participant_id);
            OrderTree(OwnLinks{*this}).erase(own->second[side], handle);
            if (own->second[Side::buy] == nil && own->second[Side::sell] == nil) own_.erase(own);
        }
        shift(opposite(side), ~at(handle).priority.key, static_cast<std::int64_t>(total(handle)));
        --orders_;
    }

    /// Add an order again that was removed, where it was.
    void put_back(Handle handle) { add(handle, at(handle).priority.stamp); }

    /// Follow an order other than an all-or-none order whose quantity has become less.
    void shrink(Handle handle, std::uint64_t less) {
        const Side side = order(handle).side;
        OrderTree(PlainLinks{*this}).update(plain_[side], handle);
        if (const std::uint32_t participant_id = participant_of(handle); participant_id != 0)
            OrderTree(OwnLinks{*this}).update(own_.find(participant_id)->second[side], handle);
        shift(opposite(side), ~at(handle).priority.key, static_cast<std::int64_t>(less));
    }

    std::uint32_t orders() const { return orders_; }

    /// Quantities of the orders before a priority.
    struct Depth {
        std::uint64_t shown = 0;
        std::uint64_t hidden = 0;
        std::uint64_t all() const { return shown + hidden; }
    };

    Depth plain_before(Side side, Priority end) const {
        Depth depth;
        before(plain_[side], end, &Entry::left, &Entry::right, [&](Handle branch, Handle self) {
            if (branch != nil) depth = {depth.shown + at(branch).sum, depth.hidden + at(branch).hidden};
            if (self != nil) depth = {depth.shown + order(self).quantity, depth.hidden + hidden_of(self)};
        });
        return depth;
    }

    std::uint64_t alone_before(Side side, Priority end) const {
        std::uint64_t depth = 0;
        before(alone_[side], end, &Entry::left, &Entry::right, [&](Handle branch, Handle self) {
            if (branch != nil) depth += at(branch).sum;
            if (self != nil) depth += order(self).quantity;
        });
        return depth;
    }

    struct Own {
        std::uint64_t all = 0;
        std::uint64_t plain = 0;  // without all-or-none orders
    };

    Own own_before(std::uint32_t participant_id, Side side, Priority end) const {
        Own depth;
        before(own_root(participant_id, side), end, &Entry::own_left, &Entry::own_right,
               [&](Handle branch, Handle self) {
                   if (branch != nil) depth = {depth.all + at(branch).own, depth.plain + at(branch).own_plain};
                   if (self == nil) return;
                   depth.all += total(self);
                   if (!is_all_or_none(self)) depth.plain += total(self);
               });
        return depth;
    }

    /// The participant's first order on a side, or nil.
    Handle first_own(std::uint32_t participant_id, Side side) const {
        Handle first = own_root(participant_id, side);
        while (first != nil && at(first).own_left != nil) first = at(first).own_left;
        return first;
    }

    Priority priority(Handle handle) const { return at(handle).priority; }

    /// The first order within reach that the quantity does not pass over, or nil.
    Handle first_maker(const Reach& reach) const {
        Handle plain = plain_[reach.side];
        while (plain != nil && at(plain).left != nil) plain = at(plain).left;
        const Handle fitting = first_fitting(alone_[reach.side], reach.left);
        const bool plain_first = fitting == nil || (plain != nil && at(plain).priority < at(fitting).priority);
        const Handle first = plain_first ? plain : fitting;
        return first != nil && at(first).priority.key <= reach.limit_key ? first : nil;
    }

    bool any_all_or_none(Side side) const { return alone_[side] != nil; }

    /// Whether the quantity trades whole, of an order without self-trade prevention.
    bool fills(const Reach& reach) const {
        const Priority end = Priority::through(reach.limit_key);
        const std::uint64_t plain = plain_before(reach.side, end).all();
        if (plain >= reach.left) return true;
        if (plain + alone_before(reach.side, end) < reach.left) return false;
        return plain + taken_alone(alone_[reach.side], reach, 0) >= reach.left;
    }

    /// The first all-or-none order of a side after a priority that may be able to trade, or nil.
    Handle next_fillable(Side side, Priority after) { return next_fillable(alone_[side], after); }

    std::int64_t deficit(Handle handle) const { return at(handle).deficit; }

    /// Without pending changes above it, for checks.
    void settle_pending(Side side) { settle_pending(alone_[side]); }

  private:
    using Entry = DepthEntry;

    Entry& at(Handle handle) { return entries_[index_of(handle)]; }
    const Entry& at(Handle handle) const { return entries_[index_of(handle)]; }
    const OrderBody& order(Handle handle) const { return nodes_[handle].order; }
    bool is_all_or_none(Handle handle) const { return (order(handle).attributes & attribute_all_or_none) != 0; }
    std::uint64_t hidden_of(Handle handle) const {
        return (order(handle).attributes & attribute_iceberg) != 0
                   ? attributes_[order(handle).attributes_handle].reserve_quantity
                   : 0;
    }
    std::uint64_t total(Handle handle) const { return order(handle).quantity + hidden_of(handle); }
    std::uint32_t participant_of(Handle handle) const {
        return (order(handle).attributes & attribute_participant) != 0
                   ? attributes_[order(handle).attributes_handle].participant_id
                   : 0;
    }
    Handle own_root(std::uint32_t participant_id, Side side) const {
        const auto own = own_.find(participant_id);
        return own == own_.end() ? nil : own->second[side];
    }

    // -- links ------------------------------------------------------------------------------------------------------

    struct ByPriority {
        DepthIndex& index;
        bool before(Handle a, Handle b) const { return index.at(a).priority < index.at(b).priority; }
        std::uint64_t rank(Handle handle) const { return heap_rank(handle, &index); }
    };

    struct SideLinks : ByPriority {
        Handle& left(Handle handle) { return index.at(handle).left; }
        Handle& right(Handle handle) { return index.at(handle).right; }
    };

    struct PlainLinks : SideLinks {
        void push(Handle) const {}
        void pull(Handle handle) {
            Entry& entry = index.at(handle);
            entry.sum = index.order(handle).quantity;
            entry.hidden = index.hidden_of(handle);
            for (const Handle child : {entry.left, entry.right}) {
                if (child == nil) continue;
                entry.sum += index.at(child).sum;
                entry.hidden += index.at(child).hidden;
            }
        }
    };

    struct AloneLinks : SideLinks {
        void push(Handle handle) {
            Entry& entry = index.at(handle);
            if (entry.pending == 0) return;
            for (const Handle child : {entry.left, entry.right}) index.defer(child, entry.pending);
            entry.pending = 0;
        }
        void pull(Handle handle) {
            Entry& entry = index.at(handle);
            entry.sum = entry.least_quantity = index.order(handle).quantity;
            entry.least_deficit = entry.deficit;
            for (const Handle child : {entry.left, entry.right}) {
                if (child == nil) continue;
                entry.sum += index.at(child).sum;
                entry.least_quantity = std::min(entry.least_quantity, index.at(child).least_quantity);
                entry.least_deficit = std::min(entry.least_deficit, index.at(child).least_deficit);
            }
        }
    };

    struct OwnLinks : ByPriority {
        void push(Handle) const {}
        Handle& left(Handle handle) { return index.at(handle).own_left; }
        Handle& right(Handle handle) { return index.at(handle).own_right; }
        void pull(Handle handle) {
            Entry& entry = index.at(handle);
            entry.own = index.total(handle);
            entry.own_plain = index.is_all_or_none(handle) ? 0 : entry.own;
            for (const Handle child : {entry.own_left, entry.own_right}) {
                if (child == nil) continue;
                entry.own += index.at(child).own;
                entry.own_plain += index.at(child).own_plain;
            }
        }
    };

    // -- filling ----------------------------------------------------------------------------------------------------

    template <typename ForEach>
    void fill_side(Side side, ForEach for_each) {
        OrderTree<PlainLinks>::Builder plain(PlainLinks{*this});
        OrderTree<AloneLinks>::Builder alone(AloneLinks{*this});
        std::map<std::uint32_t, typename OrderTree<OwnLinks>::Builder> own;
        for_each(side, [&](Handle handle) {
            at(handle).priority = {nodes_[order(handle).level].level.key, ++stamps_};
            at(handle).deficit = at(handle).pending = 0;
            if (is_all_or_none(handle)) {
                alone.append(handle);
            } else {
                plain.append(handle);
            }
            if (const std::uint32_t participant_id = participant_of(handle); participant_id != 0)
                own.try_emplace(participant_id, OwnLinks{*this}).first->second.append(handle);
            ++orders_;
        });
        plain_[side] = plain.finish();
        alone_[side] = alone.finish();
        for (auto& [participant_id, builder] : own) own_[participant_id][side] = builder.finish();
    }

    void count_deficits(Side side, Handle root) {
        if (root == nil) return;
        count_deficits(side, at(root).left);
        count_deficits(side, at(root).right);
        at(root).deficit = deficit_of(root);
        AloneLinks{*this}.pull(root);
    }

    std::int64_t deficit_of(Handle handle) const {
        const Side other = opposite(order(handle).side);
        const Priority reach = Priority::through(~at(handle).priority.key);
        const std::uint64_t reached = plain_before(other, reach).all() + alone_before(other, reach);
        return static_cast<std::int64_t>(total(handle)) - static_cast<std::int64_t>(reached);
    }

    // -- changes ----------------------------------------------------------------------------------------------------

    void add(Handle handle, std::uint64_t stamp) {
        if (index_of(handle) > capacity_) throw std::bad_alloc();  // the pool has grown
        const Side side = order(handle).side;
        const std::int64_t key = nodes_[order(handle).level].level.key;
        const std::uint32_t participant_id = participant_of(handle);
        Handle* const own = participant_id == 0 ? nullptr : &own_[participant_id][side];  // may throw: before a change
        Entry& entry = at(handle);
        entry.priority = {key, stamp};
        if (is_all_or_none(handle)) {
            entry.deficit = deficit_of(handle);
            entry.pending = 0;
            OrderTree(AloneLinks{*this}).insert(alone_[side], handle);
        } else {
            OrderTree(PlainLinks{*this}).insert(plain_[side], handle);
        }
        if (own != nullptr) OrderTree(OwnLinks{*this}).insert(*own, handle);
        shift(opposite(side), ~key, -static_cast<std::int64_t>(total(handle)));
        ++orders_;
    }

    /// Add to the deficits of a branch.
    void defer(Handle branch, std::int64_t change) {
        if (branch == nil) return;
        at(branch).deficit += change;
        at(branch).least_deficit += change;
        at(branch).pending += change;
    }

    /// Add to the deficits of the all-or-none orders of a side whose key is at most this one.
    void shift(Side side, std::int64_t key, std::int64_t change) { shift(alone_[side], key, change); }

    void shift(Handle root, std::int64_t key, std::int64_t change) {
        if (root == nil) return;
        AloneLinks links{*this};
        links.push(root);
        if (at(root).priority.key <= key) {
            at(root).deficit += change;
            defer(at(root).left, change);
            shift(at(root).right, key, change);
        } else {
            shift(at(root).left, key, change);
        }
        links.pull(root);
    }

    // -- searches ---------------------------------------------------------------------------------------------------

    /// Call `visit(branch, order)` for whole branches and single orders that together are all those before `end`.
    template <typename Visit>
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): in the order of a pair of links
    void before(Handle root, Priority end, Handle Entry::* left, Handle Entry::* right, Visit visit) const {
        while (root != nil) {
            const Entry& entry = at(root);
            if (entry.priority < end) {
                visit(entry.*left, root);
                root = entry.*right;
            } else {
                root = entry.*left;
            }
        }
    }

    Handle first_fitting(Handle root, std::uint64_t left) const {
        while (root != nil && at(root).least_quantity <= left) {
            const Entry& entry = at(root);
            if (entry.left != nil && at(entry.left).least_quantity <= left) {
                root = entry.left;
            } else if (order(root).quantity <= left) {
                return root;
            } else {
                root = entry.right;
            }
        }
        return nil;
    }

    Handle next_fillable(Handle root, Priority after) {
        if (root == nil || at(root).least_deficit > 0) return nil;
        AloneLinks{*this}.push(root);
        if (at(root).priority <= after) return next_fillable(at(root).right, after);
        if (const Handle found = next_fillable(at(root).left, after); found != nil) return found;
        return at(root).deficit <= 0 ? root : next_fillable(at(root).right, after);
    }

    /// What an incoming order trades with the all-or-none orders of a branch, after `taken` from those before it. Takes
    /// and skips whole branches where all or none of their orders fit.
    std::uint64_t taken_alone(Handle root, const Reach& reach, std::uint64_t taken) const {
        if (root == nil || at(root).least_quantity > reach.left - taken) return taken;
        const Entry& entry = at(root);
        if (entry.priority.key > reach.limit_key) return taken_alone(entry.left, reach, taken);
        if (const Priority end = last_of(root); end.key <= reach.limit_key) {
            const std::uint64_t plain = met_before(reach.side, end);
            if (plain + taken + entry.sum <= reach.left) return taken + entry.sum;
        }
        taken = taken_alone(entry.left, reach, taken);
        const std::uint64_t gone = met_before(reach.side, entry.priority) + taken;
        if (gone >= reach.left) return taken;
        if (order(root).quantity <= reach.left - gone) taken += order(root).quantity;
        return taken_alone(entry.right, reach, taken);
    }

    Priority last_of(Handle branch) const {
        while (at(branch).right != nil) branch = at(branch).right;
        return at(branch).priority;
    }

    /// What an incoming order meets of plain orders before a priority: of its own level, only what is displayed.
    std::uint64_t met_before(Side side, Priority end) const {
        return plain_before(side, {end.key, 0}).hidden + plain_before(side, end).shown;
    }

    void settle_pending(Handle root) {
        if (root == nil) return;
        AloneLinks{*this}.push(root);
        settle_pending(at(root).left);
        settle_pending(at(root).right);
    }

    const Nodes& nodes_;
    const Pool<OrderAttributes>& attributes_;
    std::uint32_t capacity_;
    DepthEntries::Shared entries_;
    PerSide<Handle> plain_{};
    PerSide<Handle> alone_{};                       // all-or-none orders
    std::map<std::uint32_t, PerSide<Handle>> own_;  // no hash: clients choose the numbers
    std::uint64_t stamps_ = 0;
    std::uint32_t orders_ = 0;
};

// NOLINTEND(misc-no-recursion)

}  // namespace lowlat
