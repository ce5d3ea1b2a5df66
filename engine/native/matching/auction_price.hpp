// Finds the price at which a crossed book trades the most volume, without changing the book.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/crossed_levels.hpp"
#include "engine/native/matching/order_store.hpp"

namespace lowlat {

struct Uncross {
    std::int64_t price;
    std::uint64_t volume;
    std::int64_t imbalance;  // buy minus sell quantity at the price
};

/// Finds the price.
class UncrossSearch {
  public:
    /// `quantity_at(level)`: the participating quantity of a level.
    template <typename QuantityAt>
    UncrossSearch(const Book& book, CrossedLevels& levels, QuantityAt quantity_at)
        : tick_(book.rules.tick), bids_(levels.bids), asks_(levels.asks) {
        if (book.traded) reference_ = book.last;
        const auto gather = [&](Side side, Levels& into, auto wanted) {
            into.clear();
            book.ladders[side].for_each([&](std::int64_t key, Handle level) {
                const std::int64_t price = book.price_of(side, key);
                if (!wanted(price)) return false;
                if (const std::uint64_t quantity = quantity_at(level); quantity != 0) into.push_back({price, quantity});
                return true;
            });
        };
        gather(Side::sell, asks_, [&](std::int64_t) { return asks_.empty(); });
        gather(Side::buy, bids_, [&](std::int64_t price) { return !asks_.empty() && price >= asks_.front().price; });
        gather(Side::sell, asks_, [&](std::int64_t price) { return !bids_.empty() && price <= bids_.front().price; });
    }

    std::optional<Uncross> best() {
        if (asks_.empty() || bids_.empty()) return std::nullopt;
        std::uint64_t buys = 0;
        for (const AuctionLevel& bid : bids_) buys += bid.quantity;
        std::uint64_t sells = 0;
        auto bid = bids_.rbegin();  // ascending, like the asks
        auto ask = asks_.begin();
        while (bid != bids_.rend() || ask != asks_.end()) {
            const std::int64_t price = next_price(bid, ask);
            if (ask != asks_.end() && ask->price == price) sells += (ask++)->quantity;
            consider(price, buys, sells);
            if (bid != bids_.rend() && bid->price == price) buys -= (bid++)->quantity;
            if (bid == bids_.rend() && ask == asks_.end()) break;
            consider_between(price, next_price(bid, ask), buys, sells);
        }
        return best_;
    }

  private:
    using Levels = std::vector<AuctionLevel>;

    std::int64_t next_price(const Levels::const_reverse_iterator& bid, const Levels::const_iterator& ask) const {
        if (bid == bids_.rend()) return ask->price;
        return ask == asks_.end() ? bid->price : std::min(bid->price, ask->price);
    }

    /// Among the ticks strictly between two order prices: the one nearest to the reference, else the lowest.
    void consider_between(std::int64_t low, std::int64_t high, std::uint64_t buys, std::uint64_t sells) {
        if (static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) <= static_cast<std::uint64_t>(tick_))
            return;
        const std::int64_t first = low + tick_;
        consider(reference_ ? std::clamp(*reference_, first, high - tick_) : first, buys, sells);
    }

    void consider(std::int64_t price, std::uint64_t buys, std::uint64_t sells) {
        const Uncross found{price, std::min(buys, sells), static_cast<std::int64_t>(buys - sells)};
        if (found.volume != 0 && (!best_ || rank(found) < rank(*best_))) best_ = found;
    }

    /// Sort key, lower is better: most volume, least imbalance, nearest to the reference, lowest price.
    std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::int64_t> rank(const Uncross& at) const {
        const auto imbalance = static_cast<std::uint64_t>(at.imbalance < 0 ? -at.imbalance : at.imbalance);
        std::uint64_t distance = 0;
        if (reference_) {
            const auto [low, high] = std::minmax(at.price, *reference_);
            distance = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
        }
        return {std::numeric_limits<std::uint64_t>::max() - at.volume, imbalance, distance, at.price};
    }

    std::int64_t tick_;
    std::optional<std::int64_t> reference_;
    Levels& bids_;  // best first: prices fall
    Levels& asks_;  // best first: prices rise
    std::optional<Uncross> best_;
};

/// The participating quantity of a level: whole icebergs, no all-or-none orders.
inline std::uint64_t auctioned(const OrderStore& store, Handle level) {
    const Nodes& nodes = store.nodes();
    std::uint64_t quantity = 0;
    for (Handle at = nodes[level].next; at != level; at = nodes[at].next) {
        const OrderBody& order = nodes[at].order;
        if (!OrderStore::all_or_none(order)) quantity += order.quantity + std::uint64_t{store.reserve_quantity(order)};
    }
    return quantity;
}

/// What an uncross of a symbol would do now, if anything would trade.
inline std::optional<Uncross> find_uncross(const OrderStore& store, std::uint32_t symbol, CrossedLevels& levels) {
    if (!store.books()[symbol].crossed()) return std::nullopt;
    return UncrossSearch(store.books()[symbol], levels, [&](Handle level) { return auctioned(store, level); }).best();
}

}  // namespace lowlat
