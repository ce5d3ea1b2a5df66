// What an auction gathers of a book before it finds its price.
#pragma once

#include <cstdint>
#include <vector>

namespace lowlat {

/// What takes part of the orders at one price.
struct AuctionLevel {
    std::int64_t price;
    std::uint64_t quantity;
};

/// The levels that cross, of either side, best first. An engine keeps the room for them from one auction to the next.
struct CrossedLevels {
    std::vector<AuctionLevel> bids;
    std::vector<AuctionLevel> asks;
};

}  // namespace lowlat
