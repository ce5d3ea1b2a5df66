// When each live order of a flow entered, and how far from the touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/native/flow/records.hpp"

namespace lowlat {

class OrderLives {
  public:
    struct Key {
        std::uint64_t id;
        std::uint32_t symbol;
        bool operator==(const Key&) const = default;
    };

    /// Numbers of commands that this order has lived through, 0 if it is not known.
    std::uint64_t commands(const Key& order, std::uint64_t number) const {
        const auto found = live_.find(order);
        return found == live_.end() ? 0 : number - found->second.entered;
    }

    /// An order that comes to rest. One that already rests, and was replaced, keeps its life.
    void begin(const Key& order, std::uint64_t number, const FollowedCommand& row) {
        OrderLife life{};
        life.entered = number;
        if (row.makers == 0) {
            life.distance = row.distance;
            life.placed = row.placed;
        }
        live_.try_emplace(order, life);
    }

    void end(const Key& order, std::uint64_t number, LifeEnd how) {
        const auto found = live_.find(order);
        if (found == live_.end()) return;
        ended_.push_back(ended(found->second, number, how));
        live_.erase(found);
    }

    /// End the lives of all orders, because the flow has ended.
    void end_all(std::uint64_t number) {
        for (const auto& [order, life] : live_) ended_.push_back(ended(life, number, LifeEnd::open));
        live_.clear();
    }

    /// The lives that ended since they were last forgotten.
    const std::vector<OrderLife>& ended() const { return ended_; }
    void forget_ended() { ended_.clear(); }

  private:
    struct Hash {
        std::size_t operator()(const Key& order) const {
            return static_cast<std::size_t>((order.id ^ std::uint64_t{order.symbol} << 48) * 0x9E37'79B9'7F4A'7C15ULL);
        }
    };

    static OrderLife ended(OrderLife life, std::uint64_t number, LifeEnd how) {
        life.commands = number - life.entered;
        life.end = how;
        return life;
    }

    std::unordered_map<Key, OrderLife, Hash> live_;
    std::vector<OrderLife> ended_;
};

}  // namespace lowlat
