// What indexes of books (depth_index.hpp) hold of each order, in memory that those of all books share.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/native/matching/pool.hpp"

namespace lowlat {

/// The priority of a resting order on its side: the key of its level, then when it was queued.
struct Priority {
    std::int64_t key;
    std::uint64_t stamp;

    friend auto operator<=>(const Priority&, const Priority&) = default;

    /// After every order whose key is at most this one.
    static constexpr Priority through(std::int64_t key) { return {key, ~std::uint64_t{0}}; }
};

/// An order's links and sums, at its handle. Sums are over its branch.
struct DepthEntry {
    Priority priority;
    Handle left;  // among the plain or the all-or-none orders of the side
    Handle right;
    Handle own_left;  // among the orders of its participant
    Handle own_right;
    std::uint64_t sum;  // displayed
    std::uint64_t hidden;
    std::uint64_t own;
    std::uint64_t own_plain;
    // Of an all-or-none order:
    std::int64_t deficit;
    std::int64_t least_deficit;
    std::int64_t pending;  // to be added to the deficits of its children
    std::uint32_t least_quantity;
};
static_assert(sizeof(DepthEntry) == 96);

/// An entry for each node of a pool. The orders of many books are mixed in the pool, so entries of their own for each
/// index would take a page for each order.
class DepthEntries {
  public:
    using Shared = std::shared_ptr<DepthEntry[]>;

    /// The entries of a pool of this capacity, freed with the last index that has them. An order is in one book, so no
    /// two indexes use the same entry. Throws std::bad_alloc.
    Shared share(std::uint32_t capacity) {
        Shared shared = entries_.lock();
        if (shared != nullptr && capacity_ == capacity) return shared;
        shared = Shared(new DepthEntry[std::size_t{capacity} + 1]);
        entries_ = shared;
        capacity_ = capacity;
        return shared;
    }

  private:
    std::weak_ptr<DepthEntry[]> entries_;
    std::uint32_t capacity_ = 0;
};

}  // namespace lowlat
