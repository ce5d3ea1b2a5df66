// All levels of one book, maintained from single changes, for a publisher without a matcher.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Sorted arrays with the best level last: most changes are near the best price and move few elements.
class LevelBook {
  public:
    /// Reserve room for this many levels per side.
    explicit LevelBook(std::size_t levels) {
        for (auto& side : sides_) side.reserve(levels);
    }

    /// Set the level at a price; a quantity of 0 removes it. False if there was no level to remove.
    bool update(Side side, const LevelRow& row) {
        auto& levels = sides_[side];
        const bool bids = side == Side::buy;
        const auto worse = [bids](const LevelRow& level, std::int64_t price) {
            return bids ? level.price < price : level.price > price;
        };
        const auto at = std::lower_bound(levels.begin(), levels.end(), row.price, worse);
        const bool known = at != levels.end() && at->price == row.price;
        if (row.quantity == 0) {
            if (known) levels.erase(at);
            return known;
        }
        if (known) {
            *at = row;
        } else {
            levels.insert(at, row);
        }
        return true;
    }

    void clear() {
        for (auto& side : sides_) side.clear();
    }

    /// Whether the best bid reaches the best ask.
    bool crossed() const {
        const auto& [bids, asks] = sides_.of;
        return !bids.empty() && !asks.empty() && bids.back().price >= asks.back().price;
    }

    /// As in Matcher: calls `visit(LevelRow)` from the best level on, until it returns false.
    template <typename Visit>
    void for_each_level(std::uint32_t, Side side, Visit visit) const {
        const auto& levels = sides_[side];
        for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
            if (!visit(*level)) return;
        }
    }

  private:
    PerSide<std::vector<LevelRow>> sides_;
};

}  // namespace lowlat
