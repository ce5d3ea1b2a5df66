// An engine's counters: the state that its books do not show.
#pragma once

#include <cstdint>

namespace lowlat {

struct Progress {
    std::uint64_t sequence;
    std::uint64_t trades;
    std::uint64_t clock;
    std::uint64_t order_refusals;
    std::uint64_t trade_refusals;
    std::uint64_t tape_recycled;
    std::uint32_t growths;
};

}  // namespace lowlat
