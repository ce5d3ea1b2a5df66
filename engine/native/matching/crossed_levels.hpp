// The levels that an auction collects before it finds its price.
#pragma once

#include <cstdint>
#include <vector>

namespace lowlat {

/// The participating quantity at one price.
struct AuctionLevel {
    std::int64_t price;
    std::uint64_t quantity;
};

/// The crossing levels of each side, best first. An engine reuses their memory from one auction to the next.
struct CrossedLevels {
    std::vector<AuctionLevel> bids;
    std::vector<AuctionLevel> asks;
};

}  // namespace lowlat
