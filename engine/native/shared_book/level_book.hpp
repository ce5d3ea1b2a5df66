// All levels of one book, kept from single changes: what a publisher holds that hears of levels and has no matcher.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Sorted arrays, the best level last: most changes are near the best price, and move little.
class LevelMirror {
  public:
    /// Room for so many levels a side before memory is asked for again.
    explicit LevelMirror(std::size_t levels) {
        for (auto& side : sides_) side.reserve(levels);
    }

    /// What now stands at a price; a quantity of 0 takes the level away. False when there was none to take away.
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

    /// As a Matcher's: `visit(LevelRow)` from the best level on, until it returns false.
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
