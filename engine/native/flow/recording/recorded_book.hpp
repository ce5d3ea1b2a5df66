// The book that a recording describes: the queue at each price, and what price-time priority would fill next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lowlat {

inline constexpr std::uint8_t recorded_buy = 0, recorded_sell = 1;

/// An order in the book. `entered`: the event before or at which it did; `last`: the last event that names it;
/// `serial`: how many entered before it.
struct RestingOrder {
    std::uint64_t id = 0;
    std::int64_t price = 0;
    std::uint64_t quantity = 0;
    std::int64_t entered = 0;
    std::int64_t last = 0;
    std::uint8_t side = 0;
    std::uint64_t serial = 0;
    RestingOrder* previous = nullptr;
    RestingOrder* next = nullptr;
};

/// One execution: the resting order, the trade price, the quantity.
struct RecordedFill {
    std::uint64_t maker;
    std::int64_t price;
    std::uint64_t quantity;
    bool operator==(const RecordedFill&) const = default;
};
using RecordedFills = std::vector<RecordedFill>;

/// The orders at one price, in queue order.
struct RecordedLevel {
    RestingOrder* first = nullptr;
    RestingOrder* final = nullptr;
};

/// Resting orders of both sides of one symbol. Levels are kept by rank, best first: the price of an ask, and the
/// bitwise complement of a bid's.
class RecordedBook {
  public:
    using Levels = std::map<std::int64_t, RecordedLevel>;

    static std::int64_t rank_of(std::uint8_t side, std::int64_t price) {
        return side == recorded_sell ? price : ~price;
    }

    RestingOrder* find(std::uint64_t id) const {
        const auto found = orders_.find(id);
        return found == orders_.end() ? nullptr : found->second;
    }
    std::size_t orders() const { return orders_.size(); }

    const Levels& levels(std::uint8_t side) const { return levels_[side]; }

    /// The first order resting at a price; null if there is none.
    RestingOrder* front(std::uint8_t side, std::int64_t price) const {
        const auto found = levels_[side].find(rank_of(side, price));
        return found == levels_[side].end() ? nullptr : found->second.first;
    }
    RestingOrder* back(std::uint8_t side, std::int64_t price) const {
        const auto found = levels_[side].find(rank_of(side, price));
        return found == levels_[side].end() ? nullptr : found->second.final;
    }

    /// The best price of a side that has orders.
    std::int64_t best(std::uint8_t side) const { return rank_of(side, levels_[side].begin()->first); }

    /// Whether an order of this side and price would reach the other side.
    bool crossed_by(std::uint8_t side, std::int64_t price) const {
        const std::uint8_t other = 1 - side;
        if (levels_[other].empty()) return false;
        return side == recorded_buy ? best(other) <= price : best(other) >= price;
    }

    bool crossed() const {
        return !levels_[0].empty() && !levels_[1].empty() && best(recorded_buy) >= best(recorded_sell);
    }

    /// Queue an order at the back, or ahead of the order `before`, which is at its price.
    RestingOrder& enter(const RestingOrder& entering, RestingOrder* before) {
        RestingOrder& order = allocate();
        order = entering;
        order.serial = serial_++;
        RecordedLevel& level = levels_[order.side][rank_of(order.side, order.price)];
        order.next = before;
        order.previous = before != nullptr ? before->previous : level.final;
        (order.previous != nullptr ? order.previous->next : level.first) = &order;
        (before != nullptr ? before->previous : level.final) = &order;
        orders_[order.id] = &order;
        return order;
    }

    /// Reduce an order by `quantity`, which it has, and remove it at 0.
    void take(RestingOrder& order, std::uint64_t quantity) {
        order.quantity -= quantity;
        if (order.quantity != 0) return;
        orders_.erase(order.id);
        const auto level = levels_[order.side].find(rank_of(order.side, order.price));
        (order.previous != nullptr ? order.previous->next : level->second.first) = order.next;
        (order.next != nullptr ? order.next->previous : level->second.final) = order.previous;
        if (level->second.first == nullptr) levels_[order.side].erase(level);
        free_.push_back(&order);
    }

    /// Call `visit(order)` for the orders of a side by price and time, until it returns false.
    template <typename Visit>
    void for_each(std::uint8_t side, Visit visit) const {
        for (const auto& [rank, level] : levels_[side])
            // NOLINTNEXTLINE(misc-const-correctness): the visitor may change it
            for (RestingOrder* order = level.first; order != nullptr; order = order->next)
                if (!visit(*order)) return;
    }

    /// The fills under price-time priority of an order that takes `quantity` of this side, up to price `limit`.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    RecordedFills fills(std::uint8_t side, std::uint64_t quantity, std::int64_t limit) const {
        RecordedFills fills;
        for_each(side, [&](const RestingOrder& order) {
            if (quantity == 0 || (side == recorded_sell ? order.price > limit : order.price < limit)) return false;
            fills.push_back({order.id, order.price, std::min(quantity, order.quantity)});
            quantity -= fills.back().quantity;
            return true;
        });
        return fills;
    }

    /// What each order trades if as much as possible trades at one price, by price and time.
    using Traded = std::map<std::uint64_t, std::uint64_t>;
    std::pair<Traded, Traded> uncross() const {
        const std::vector<RestingOrder*> bids = queue(recorded_buy), asks = queue(recorded_sell);
        std::pair<Traded, Traded> taken;
        std::size_t bid = 0, ask = 0;
        std::uint64_t of_bid = 0, of_ask = 0;
        while (bid < bids.size() && ask < asks.size() && bids[bid]->price >= asks[ask]->price) {
            const std::uint64_t left_bid = bids[bid]->quantity - of_bid, left_ask = asks[ask]->quantity - of_ask;
            const std::uint64_t traded = std::min(left_bid, left_ask);
            if (traded != 0) {
                taken.first[bids[bid]->id] += traded;
                taken.second[asks[ask]->id] += traded;
            }
            of_bid += traded;
            of_ask += traded;
            if (left_bid <= left_ask) ++bid, of_bid = 0;
            if (left_ask <= left_bid) ++ask, of_ask = 0;
        }
        return taken;
    }

    /// All orders, in the order in which they entered.
    std::vector<RestingOrder*> by_entry() const {
        std::vector<RestingOrder*> all;
        all.reserve(orders_.size());
        for (const auto& [id, order] : orders_) all.push_back(order);
        std::sort(all.begin(), all.end(), [](const auto* one, const auto* two) { return one->serial < two->serial; });
        return all;
    }

    /// The orders at one price, in queue order.
    std::vector<RestingOrder*> level(std::uint8_t side, std::int64_t price) const {
        std::vector<RestingOrder*> all;
        for (RestingOrder* order = front(side, price); order != nullptr; order = order->next) all.push_back(order);
        return all;
    }

  private:
    std::vector<RestingOrder*> queue(std::uint8_t side) const {
        std::vector<RestingOrder*> all;
        for_each(side, [&](RestingOrder& order) {
            all.push_back(&order);
            return true;
        });
        return all;
    }

    RestingOrder& allocate() {
        if (free_.empty()) return pool_.emplace_back();
        RestingOrder* const order = free_.back();
        free_.pop_back();
        return *order;
    }

    std::unordered_map<std::uint64_t, RestingOrder*> orders_;
    Levels levels_[2];
    std::deque<RestingOrder> pool_;
    std::vector<RestingOrder*> free_;
    std::uint64_t serial_ = 0;
};

}  // namespace lowlat
