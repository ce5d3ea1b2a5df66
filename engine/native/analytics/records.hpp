// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// What updates levels, and why it may not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// Why levels could not be updated from events.
enum class LevelTrouble : std::uint8_t {
    none = 0,             // They were.
    levels_unsorted = 1,  // The levels given are not best first.
    unknown_price = 2,    // An event takes from a level that there is not.
    out_of_range = 3,     // A sum does not fit its field.
};

/// What is added to the level at a price: signed differences.
struct LevelUpdate {
    std::int64_t price;
    std::int64_t quantity;
    std::int64_t order_count;  // Of their number.
    std::uint64_t zero;
};
static_assert(sizeof(LevelUpdate) == 32);
static_assert(alignof(LevelUpdate) == 8);
static_assert(offsetof(LevelUpdate, price) == 0);
static_assert(offsetof(LevelUpdate, quantity) == 8);
static_assert(offsetof(LevelUpdate, order_count) == 16);
static_assert(offsetof(LevelUpdate, zero) == 24);

}  // namespace lowlat
