// The live orders of a synthetic flow, for random draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

struct LiveOrder {
    std::uint64_t id;
    std::uint32_t symbol;
};

/// A command of this kind for a live order.
inline Command change(CommandType kind, const LiveOrder& live) {
    return {.order_id = live.id,
            .price = 0,
            .quantity = 0,
            .symbol = live.symbol,
            .kind = kind,
            .side = 0,
            .time_in_force = 0,
            .flags = 0};
}

/// Ids are assigned from 1 on. Add, remove and draw are O(1).
class LiveOrders {
  public:
    LiveOrders() {
        position_.reserve(std::size_t{1} << 16);
        position_.push_back(0);  // no order has id 0
    }

    /// Reserve room for this many ids, or live orders, so that they allocate no more memory.
    void reserve_ids(std::uint64_t ids) { position_.reserve(ids + 1); }
    void reserve_orders(std::uint32_t live) { orders_.reserve(live); }

    std::uint64_t make_id() {
        position_.push_back(0);
        return ++last_id_;
    }

    std::span<const LiveOrder> all() const { return orders_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(orders_.size()); }
    bool has(std::uint64_t id) const { return position_[id] != 0; }

    /// `random`: uniform in 32 bits.
    const LiveOrder& draw(std::uint32_t random) const { return orders_[random * std::uint64_t{orders_.size()} >> 32]; }

    void fetch_position_of(std::uint64_t id) const { prefetch(&position_[id]); }

    void add(const LiveOrder& order) {
        orders_.push_back(order);
        position_[order.id] = size();
    }

    /// Forget every order; ids go on.
    void clear() {
        for (const LiveOrder& order : orders_) position_[order.id] = 0;
        orders_.clear();
    }

    void remove(std::uint64_t id) {
        const std::uint32_t at = position_[id] - 1;
        orders_[at] = orders_.back();
        position_[orders_[at].id] = at + 1;
        orders_.pop_back();
        position_[id] = 0;
    }

  private:
    std::vector<LiveOrder> orders_;
    std::vector<std::uint32_t> position_;  // by id: one more than its position in orders_, 0 if gone
    std::uint64_t last_id_ = 0;
};

}  // namespace lowlat
