// A balanced binary tree of orders with sums over its branches: a treap. Every operation is expected O(log n).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/native/matching/pool.hpp"

namespace lowlat {

/// The rank of an order in the heap of a treap, well spread over all handles. `seed`: an address, so that nobody can
/// choose orders that unbalance the tree in every process. Results do not depend on it.
inline std::uint64_t heap_rank(Handle handle, const void* seed) {
    std::uint64_t key = (index_of(handle) + reinterpret_cast<std::uintptr_t>(seed)) * 0x9E37'79B9'7F4A'7C15;
    key = (key ^ key >> 32) * 0xD6E8'FEB8'6659'FD93;
    return key ^ key >> 32;
}

// NOLINTBEGIN(misc-no-recursion): a treap of n orders is O(log n) deep.

/// The algorithms. Owns no memory: `Links` knows where the links of an order are, and its sums. It has
/// `Handle& left(Handle)`, `Handle& right(Handle)`, `bool before(Handle, Handle)`, `std::uint64_t rank(Handle)`,
/// `void push(Handle)`, which hands pending changes of a branch to its children, and `void pull(Handle)`, which sums an
/// order and its children. A tree is the handle of its root, nil if it is empty.
template <typename Links>
class OrderTree {
  public:
    explicit OrderTree(Links links) : links_(links) {}

    void insert(Handle& root, Handle added) {
        if (root != nil && links_.rank(added) >= links_.rank(root)) {
            links_.push(root);
            insert(links_.before(added, root) ? links_.left(root) : links_.right(root), added);
            return links_.pull(root);
        }
        split(root, added, links_.left(added), links_.right(added));
        links_.pull(added);
        root = added;
    }

    /// Remove an order of the tree.
    void erase(Handle& root, Handle gone) {
        if (root == nil) broken("an order is in its tree");
        links_.push(root);
        if (root == gone) {
            root = merge(links_.left(gone), links_.right(gone));
            return;
        }
        erase(links_.before(gone, root) ? links_.left(root) : links_.right(root), gone);
        links_.pull(root);
    }

    /// Sum again from an order of the tree up to the root.
    void update(Handle root, Handle changed) {
        if (root == nil) broken("an order is in its tree");
        links_.push(root);
        if (root != changed) update(links_.before(changed, root) ? links_.left(root) : links_.right(root), changed);
        links_.pull(root);
    }

    /// A tree whose orders come in their order: O(1) each.
    class Builder {
      public:
        explicit Builder(Links links) : links_(links) {}

        void append(Handle added) {
            Handle below = nil;
            while (!edge_.empty() && links_.rank(edge_.back()) > links_.rank(added)) below = leave_edge();
            links_.left(added) = below;
            links_.right(added) = nil;
            if (!edge_.empty()) links_.right(edge_.back()) = added;
            edge_.push_back(added);
        }

        /// The root.
        Handle finish() {
            Handle root = nil;
            while (!edge_.empty()) root = leave_edge();
            return root;
        }

      private:
        Handle leave_edge() {
            const Handle top = edge_.back();
            edge_.pop_back();
            links_.pull(top);
            return top;
        }

        Links links_;
        std::vector<Handle> edge_;  // from the root to the right; what hangs to their left is summed
    };

  private:
    /// Split a tree into the orders before `at` and those after it.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): in their order
    void split(Handle root, Handle at, Handle& left, Handle& right) {
        if (root == nil) {
            left = nil;
            right = nil;
            return;
        }
        links_.push(root);
        if (links_.before(root, at)) {
            left = root;
            split(links_.right(root), at, links_.right(root), right);
        } else {
            right = root;
            split(links_.left(root), at, left, links_.left(root));
        }
        links_.pull(root);
    }

    /// Join two trees; every order of the first is before every one of the second.
    Handle merge(Handle first, Handle second) {
        if (first == nil) return second;
        if (second == nil) return first;
        const bool first_on_top = links_.rank(first) < links_.rank(second);
        const Handle top = first_on_top ? first : second;
        links_.push(top);
        if (first_on_top) {
            links_.right(first) = merge(links_.right(first), second);
        } else {
            links_.left(second) = merge(first, links_.left(second));
        }
        links_.pull(top);
        return top;
    }

    Links links_;
};

// NOLINTEND(misc-no-recursion)

}  // namespace lowlat
