// A distribution of whole numbers, drawn with integers only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/native/flow/random.hpp"

namespace lowlat {

/// Rows of a value and the share of draws up to it, in units of 2^-32; both ascend. Between two rows every value is
/// equally likely. Validated and documented in Python (engine/flow/quantiles.py).
class Distribution {
  public:
    /// Drawn beyond the last row's share.
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    Distribution() = default;

    /// `rows`: value, share, value, share ...; `least`: the smallest value.
    Distribution(std::span<const std::uint64_t> rows, std::uint32_t least) : least_(least) {
        for (std::size_t at = 0; at + 1 < rows.size(); at += 2) {
            values_.push_back(static_cast<std::uint32_t>(rows[at]));
            shares_.push_back(rows[at + 1]);
        }
    }

    bool empty() const { return values_.empty(); }

    std::uint32_t draw(Random& random) const {
        const std::uint64_t drawn = random.next();
        const auto row = std::upper_bound(shares_.begin(), shares_.end(), drawn >> 32) - shares_.begin();
        const auto at = static_cast<std::size_t>(row);
        if (at == values_.size()) return none;
        const std::uint32_t lowest = at == 0 ? least_ : values_[at - 1] + 1;
        const std::uint64_t width = values_[at] - lowest + 1;
        return lowest + static_cast<std::uint32_t>((drawn & 0xFFFF'FFFF) * width >> 32);
    }

  private:
    std::vector<std::uint32_t> values_;
    std::vector<std::uint64_t> shares_;
    std::uint32_t least_ = 1;
};

}  // namespace lowlat
