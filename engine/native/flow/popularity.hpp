// Chooses the symbol of a synthetic command.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace lowlat {

/// Draws symbols by their weights.
class Popularity {
  public:
    explicit Popularity(std::span<const std::uint64_t> weights) {
        std::uint64_t sum = 0;
        for (const std::uint64_t weight : weights) cumulated_.push_back(sum += weight);
        for (std::uint64_t share = 0; share < guides; ++share) {
            const std::uint64_t weight = high_product(share * (~std::uint64_t{0} / guides), sum);
            const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), weight);
            guide_[share] = static_cast<std::uint32_t>(found - cumulated_.begin());
        }
    }

    /// The symbol for a random number.
    std::uint32_t symbol_of(std::uint64_t random) const {
        const std::uint64_t drawn = high_product(random, cumulated_.back());
        std::uint32_t symbol = guide_[random / (~std::uint64_t{0} / guides + 1)];
        while (cumulated_[symbol] <= drawn) ++symbol;
        return symbol;
    }

  private:
    static constexpr std::uint64_t guides = 4096;

    /// The upper 64 bits of the product: scales either factor to below the other.
    static std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 64);
    }

    std::vector<std::uint64_t> cumulated_;
    std::array<std::uint32_t, guides> guide_{};  // start of the search for a drawn weight
};

}  // namespace lowlat
