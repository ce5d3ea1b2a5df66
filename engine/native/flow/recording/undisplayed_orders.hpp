// Takes orders out that the venue's own book shows to be gone.
#pragma once

#include <cstdint>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/native/flow/recording/recorded_book.hpp"
#include "engine/native/flow/recording/recorded_market.hpp"

namespace lowlat {

/// Each time that the venue's book displays more levels of a side, compares the book with it. `wider`: these rows, from
/// 0; `displayed`: their 4 * `levels` columns, ask price, ask quantity, bid price, bid quantity of each level.
class UndisplayedOrders {
  public:
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    UndisplayedOrders(RecordedMarket& market, const std::int64_t* wider, std::int64_t rows,
                      const std::int64_t* displayed, std::int64_t levels)
        : market_(market), displayed_(displayed), levels_(levels) {
        for (std::int64_t row = 0; row < rows; ++row) places_.emplace(wider[row], row);
    }

    /// Compare the book after event `after` with its row, and take out what is gone before event `index`.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void take_out(std::int64_t after, std::int64_t index) {
        const auto place = places_.find(after);
        if (place == places_.end()) return;
        const std::int64_t* const row = displayed_ + place->second * levels_ * 4;
        take_out(index, recorded_sell, row);
        take_out(index, recorded_buy, row + 2);
    }

  private:
    using Gone = std::vector<std::pair<RestingOrder*, std::uint64_t>>;

    /// A side with an empty level is displayed whole.
    void take_out(std::int64_t index, std::uint8_t side, const std::int64_t* column) {
        std::unordered_map<std::int64_t, std::int64_t> shown;  // quantity by price
        for (std::int64_t level = 0; level < levels_; ++level) shown[column[level * 4]] = column[level * 4 + 1];
        std::int64_t reach = std::numeric_limits<std::int64_t>::min();
        for (const auto& [price, quantity] : shown) {
            const std::int64_t rank = RecordedBook::rank_of(side, price);
            if (quantity == 0 || reach == std::numeric_limits<std::int64_t>::max())
                reach = std::numeric_limits<std::int64_t>::max();
            else
                reach = std::max(reach, rank);
        }
        std::vector<std::int64_t> ranks;
        for (const auto& [rank, level] : market_.book().levels(side)) ranks.push_back(rank);
        for (const std::int64_t rank : ranks) {
            if (rank > reach) return;
            const std::int64_t price = RecordedBook::rank_of(side, rank);
            const auto found = shown.find(price);
            const std::int64_t quantity = found == shown.end() ? 0 : found->second;
            for (const auto& [order, gone] : gone_of(market_.book().level(side, price), quantity, index))
                market_.ghost(index, *order, gone, Change::not_shown);
        }
    }

    /// Orders of a level that no event from `index` on names, if they are just what it has above its quantity.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    static Gone gone_of(const std::vector<RestingOrder*>& level, std::int64_t displayed, std::int64_t index) {
        std::int64_t all = 0, of_silent = 0;
        for (const RestingOrder* const order : level) {
            all += static_cast<std::int64_t>(order->quantity);
            if (order->last < index) of_silent += static_cast<std::int64_t>(order->quantity);
        }
        const std::int64_t excess = all - displayed;
        Gone gone;
        if (excess <= 0) return gone;
        for (RestingOrder* const order : level) {
            if (order->last >= index) continue;
            if (of_silent <= excess) {
                gone.emplace_back(order, order->quantity);
            } else if (static_cast<std::int64_t>(order->quantity) == excess) {
                gone.emplace_back(order, order->quantity);
                break;
            }
        }
        return gone;
    }

    RecordedMarket& market_;
    const std::int64_t* displayed_;
    std::int64_t levels_;
    std::unordered_map<std::int64_t, std::int64_t> places_;
};

}  // namespace lowlat
