// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// One event of a level-3 feed, whatever format it came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// What a venue says happened to an order, or to a book. Zero is no action.
enum class OrderAction : std::uint8_t {
    add = 1,      // The order enters, at the back of its price's queue.
    reduce = 2,   // `quantity` is canceled; the rest keeps its place. Nothing left: it is gone.
    cancel = 3,   // The order is gone, whatever it had left.
    execute = 4,  // `quantity` of the order traded at `price`. Nothing left: it is gone.
    replace = 5,  // The order is gone; `other_id` enters at the back with its side, `price` and `quantity`.
    upsert = 6,   // The order has this side, price and quantity; at a new price or with more, it goes to the back.
    trade = 7,    // A trade that takes nothing off a displayed order, such as with a hidden one.
    cross = 8,    // An auction's trades, all at `price`; those of displayed orders follow as `EXECUTE`.
    clear = 9,    // The symbol's book is empty.
    phase = 10,   // The symbol enters the trading phase `quantity` (TradingPhase).
    bust = 11,    // An earlier trade is undone; the book is not.
};

/// Bits of the `flags` of order events.
inline constexpr std::uint16_t event_flag_last = 1;       // The last of its group: now the book is the venue's.
inline constexpr std::uint16_t event_flag_snapshot = 2;   // Tells of an order that was there before.
inline constexpr std::uint16_t event_flag_bad_time = 4;   // The vendor does not vouch for its time.
inline constexpr std::uint16_t event_flag_gap = 8;        // Events before this one were lost.
inline constexpr std::uint16_t event_flag_auction = 16;   // It traded in an auction, not against one aggressive order.
inline constexpr std::uint16_t event_flag_no_side = 32;   // The feed names only the order: the side is its own.
inline constexpr std::uint16_t event_flag_no_price = 64;  // The feed names only the order: the price is its own.
inline constexpr std::uint16_t event_flags_known = 127;

/// Why an event cannot be applied to a book.
enum class EventFault : std::uint8_t {
    none = 0,      // It can.
    action = 1,    // Its action is not an OrderAction.
    side = 2,      // It enters an order, and its side is not a Side.
    symbol = 3,    // Its symbol is above the largest that books have.
    quantity = 4,  // It enters an order, and its quantity is above the largest that an order has.
};

/// After which events a book's levels are recorded.
enum class DepthMoment : std::uint8_t {
    every = 0,   // After every event.
    change = 1,  // After those that change the levels that are recorded.
    last = 2,    // After those with event_flag_last: when the book is the venue's.
};

/// One event of a level-3 feed (market by order).
struct OrderEvent {
    std::uint64_t time_ns;   // When, in nanoseconds since the epoch of the stream.
    std::uint64_t row;       // Row or message of the file it came from, from 1.
    std::uint64_t order_id;  // The order it is about; of an execution, the resting one. 0: none.
    std::uint64_t other_id;  // Of OrderAction::replace, the new id; of trades, the aggressive order, if told. 0: none.
    std::int64_t price;      // In the stream's price units; of trades, the print.
    std::uint64_t quantity;  // As the action says.
    std::uint32_t symbol;    // Number in the stream's symbols.
    OrderAction action;
    std::uint8_t side;    // Side of the order it is about; need not be set if that order was told of before.
    std::uint16_t flags;  // Bits of OrderEventFlag.
    std::uint64_t zero;
};
static_assert(sizeof(OrderEvent) == 64);
static_assert(alignof(OrderEvent) == 8);
static_assert(offsetof(OrderEvent, time_ns) == 0);
static_assert(offsetof(OrderEvent, row) == 8);
static_assert(offsetof(OrderEvent, order_id) == 16);
static_assert(offsetof(OrderEvent, other_id) == 24);
static_assert(offsetof(OrderEvent, price) == 32);
static_assert(offsetof(OrderEvent, quantity) == 40);
static_assert(offsetof(OrderEvent, symbol) == 48);
static_assert(offsetof(OrderEvent, action) == 52);
static_assert(offsetof(OrderEvent, side) == 53);
static_assert(offsetof(OrderEvent, flags) == 54);
static_assert(offsetof(OrderEvent, zero) == 56);

}  // namespace lowlat
