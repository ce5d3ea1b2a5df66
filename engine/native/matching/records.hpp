// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// The records that cross the border to Python and to C, and the numbers that their fields hold. One without `alignas`
// may start at any multiple of 8, as callers' arrays do; arrays made here start at one of 64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// What a command asks for. Zero is no kind: a record of zeros is rejected.
enum class CommandType : std::uint8_t {
    limit = 1,          // Trades as far as its price reaches; what remains rests or is canceled.
    market = 2,         // Trades at any price; what remains is canceled.
    cancel = 3,         // Takes a resting or waiting order out.
    reduce = 4,         // Takes `quantity` off an order, which keeps its place.
    replace = 5,        // Gives an order a new price and a new remaining quantity.
    stop = 6,           // Waits; a trade at `trigger` or beyond makes it a market order.
    stop_limit = 7,     // Waits; a trade at `trigger` or beyond makes it a limit order at `price`.
    trailing_stop = 8,  // A stop whose trigger follows the best trade price.
    advance_time = 9,   // Sets the engine's clock to `quantity`; orders whose expiry has come are gone.
    phase = 10,         // The symbol enters phase `quantity`.
};
constexpr bool known(CommandType value) {
    return value >= CommandType::limit && value <= CommandType::phase;
}

/// Side of an order.
enum class Side : std::uint8_t {
    buy = 0,   // Bids.
    sell = 1,  // Asks.
};
constexpr bool known(Side value) {
    return value <= Side::sell;
}

/// How long an order lives.
enum class TimeInForce : std::uint8_t {
    gtc = 0,  // Until canceled.
    ioc = 1,  // Trades what it can at once; the remainder is canceled.
    fok = 2,  // Trades whole at once, or is rejected.
    day = 3,  // Until the symbol's phase becomes TradingPhase::closed.
    gtd = 4,  // Until the clock reaches its expiry.
};
constexpr bool known(TimeInForce value) {
    return value <= TimeInForce::gtd;
}

/// Bits of the `flags` of commands and orders.
inline constexpr std::uint8_t flag_post_only = 1;           // A limit order that would trade on arrival is rejected.
inline constexpr std::uint8_t flag_price_slide = 2;         // With post-only: one tick behind the other side instead.
inline constexpr std::uint8_t flag_all_or_none = 4;         // A limit order that rests until it can trade whole.
inline constexpr std::uint8_t flag_trail_basis_points = 8;  // A trailing stop's distance is in 1/10,000 of the price.
inline constexpr std::uint8_t flags_known = 15;

/// What happens where an incoming order would trade with one of the same owner; the incoming one's policy counts.
enum class SelfTradePrevention : std::uint8_t {
    none = 0,               // They trade.
    cancel_resting = 1,     // The resting order is canceled; matching goes on.
    cancel_aggressing = 2,  // What remains of the incoming order is canceled.
    cancel_both = 3,        // Both are canceled, the resting one first.
    decrement = 4,          // Both lose the smaller of the two quantities, without a trade.
};
constexpr bool known(SelfTradePrevention value) {
    return value <= SelfTradePrevention::decrement;
}

/// What a symbol does with commands: match them, collect them for an uncross, or take nothing new.
enum class TradingPhase : std::uint8_t {
    continuous = 0,  // Accepts everything; entered with an uncross.
    call = 1,        // Collects orders that rest; nothing trades.
    halted = 2,      // Takes orders out only.
    closed = 3,      // Takes orders out only; on entry day orders are canceled.
};
constexpr bool known(TradingPhase value) {
    return value <= TradingPhase::closed;
}

/// What happened.
enum class ExecType : std::uint8_t {
    accepted = 1,   // The command passed every check.
    rejected = 2,   // The command failed a check and changed nothing.
    trade = 3,      // Two orders traded.
    cancelled = 4,  // What an order had left is gone.
    reduced = 5,    // An order has less left, without a trade.
    replaced = 6,   // An order has a new price and quantity.
    triggered = 7,  // A stop, or an all-or-none order, comes in.
    refilled = 8,   // An iceberg shows its next slice.
};

/// Why an order was rejected, or why (what remained of) it was canceled.
enum class Reason : std::uint8_t {
    none = 0,                       // Neither rejected nor canceled.
    unknown_kind = 1,               // There is no such kind of command.
    unknown_symbol = 2,             // The engine does not hold this symbol.
    unknown_side = 3,               // There is no such side.
    unknown_time_in_force = 4,      // There is no such time in force, or a replace gives one.
    unknown_flag = 5,               // There is no such flag, or a replace cannot have it.
    quantity_not_positive = 6,      // The quantity is zero or negative.
    quantity_too_large = 7,         // The quantity does not fit 32 bits.
    quantity_off_lot = 8,           // The quantity or the display is not a multiple of the lot.
    price_on_market_order = 9,      // A kind without a price has one.
    price_off_tick = 10,            // The price or the trigger is not a multiple of the tick.
    price_outside_band = 11,        // The price or the trigger is outside the symbol's band.
    duplicate_order_id = 12,        // An order of this id rests or waits.
    unknown_order_id = 13,          // No order of this id rests or waits.
    reduce_exceeds_remaining = 14,  // The order has less left than it is to lose.
    post_only_conflict = 15,        // Post-only on what is not a limit order that rests.
    post_only_would_trade = 16,     // A post-only order would trade on arrival.
    fok_not_fillable = 17,          // A fill-or-kill order cannot trade whole.
    order_pool_full = 18,           // There is no room for another order.
    trade_pool_full = 19,           // The trade tape has no room for the trades.
    requested = 20,                 // A cancel asked for it.
    ioc_remainder = 21,             // What an immediate-or-cancel order could not trade.
    market_remainder = 22,          // What a market order could not trade.
    unknown_self_trade = 23,        // There is no such self-trade policy.
    term_not_for_kind = 24,         // The kind, with this time in force, cannot have a term.
    terms_conflict = 25,            // Two terms exclude each other.
    display_too_large = 26,         // The display is larger than the order.
    display_too_small = 27,         // The order would have more than 256 slices.
    expiry_not_ahead = 28,          // The expiry is not after the clock.
    trail_out_of_range = 29,        // A trailing stop's distance is not one.
    not_in_this_phase = 30,         // The symbol's phase does not take this command.
    stop_through_market = 31,       // The last price has reached the trigger.
    no_last_trade = 32,             // A trailing stop has no trade to follow yet.
    stop_still_waits = 33,          // A waiting stop cannot be replaced.
    clock_backwards = 34,           // The time is before the clock.
    unknown_phase = 35,             // There is no such phase.
    expired = 36,                   // Its expiry, or the end of its day, has come.
    self_trade = 37,                // Self-trade prevention.
};

/// How the resting orders of one price share what comes in.
enum class MatchAlgorithm : std::int64_t {
    fifo = 0,      // Oldest first.
    pro_rata = 1,  // In proportion to their quantities.
};
constexpr bool known(MatchAlgorithm value) {
    return value >= MatchAlgorithm::fifo && value <= MatchAlgorithm::pro_rata;
}

/// What becomes of a price that is not a multiple of the tick.
enum class TickRounding : std::int64_t {
    reject = 0,   // It is rejected.
    nearest = 1,  // The nearest multiple; halfway, lower for a buyer, higher for a seller.
    passive = 2,  // The next lower multiple for a buyer, the next higher for a seller.
};
constexpr bool known(TickRounding value) {
    return value >= TickRounding::reject && value <= TickRounding::passive;
}

/// What a pool does that has no record left. Each time is counted.
enum class PoolPolicy : std::uint8_t {
    reject = 0,   // The command is rejected; the book is untouched.
    grow = 1,     // The pool doubles, which takes memory.
    recycle = 2,  // The oldest record is overwritten (trade tape only).
};

/// Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits.
inline constexpr std::int64_t quantity_max = 4294967295;
/// Most slices of an iceberg.
inline constexpr std::uint32_t slices_max = 256;
/// Largest distance of a trailing stop in basis points, and how many of them make one.
inline constexpr std::int64_t basis_points_max = 10000;
/// Most resting and waiting orders an engine has room for.
inline constexpr std::uint32_t orders_max = 1073741824;
/// Most records on the trade tape.
inline constexpr std::uint64_t trades_max = 4294967296;
/// Most symbols of an engine.
inline constexpr std::uint32_t symbols_max = 65536;

/// One command. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped.
struct Command {
    std::uint64_t order_id;
    std::int64_t price;     // In the symbol's price units.
    std::int64_t quantity;  // In lots; of a clock the time, of a phase the phase.
    std::uint32_t symbol;   // Symbols are numbered from 0.
    CommandType kind;
    std::uint8_t side;           // Side
    std::uint8_t time_in_force;  // TimeInForce
    std::uint8_t flags;          // Bits of ExecInst.
};
static_assert(sizeof(Command) == 32);
static_assert(alignof(Command) == 8);
static_assert(offsetof(Command, order_id) == 0);
static_assert(offsetof(Command, price) == 8);
static_assert(offsetof(Command, quantity) == 16);
static_assert(offsetof(Command, symbol) == 24);
static_assert(offsetof(Command, kind) == 28);
static_assert(offsetof(Command, side) == 29);
static_assert(offsetof(Command, time_in_force) == 30);
static_assert(offsetof(Command, flags) == 31);

/// A command, and what few commands have to say. With all of that zero it is the Command.
struct ExtendedCommand : Command {
    std::int64_t trigger;            // A stop's price, or how far a trailing stop trails.
    std::uint64_t expiry;            // Of a TimeInForce::gtd order, on the engine's clock.
    std::uint32_t display_quantity;  // An iceberg's slice.
    std::uint32_t participant_id;    // Who is not to trade with itself; 0: nobody.
    SelfTradePrevention self_trade;
    std::uint8_t zero[7];
};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // of a struct with a base; both compilers have it
static_assert(sizeof(ExtendedCommand) == 64);
static_assert(alignof(ExtendedCommand) == 8);
static_assert(offsetof(ExtendedCommand, order_id) == 0);
static_assert(offsetof(ExtendedCommand, price) == 8);
static_assert(offsetof(ExtendedCommand, quantity) == 16);
static_assert(offsetof(ExtendedCommand, symbol) == 24);
static_assert(offsetof(ExtendedCommand, kind) == 28);
static_assert(offsetof(ExtendedCommand, side) == 29);
static_assert(offsetof(ExtendedCommand, time_in_force) == 30);
static_assert(offsetof(ExtendedCommand, flags) == 31);
static_assert(offsetof(ExtendedCommand, trigger) == 32);
static_assert(offsetof(ExtendedCommand, expiry) == 40);
static_assert(offsetof(ExtendedCommand, display_quantity) == 48);
static_assert(offsetof(ExtendedCommand, participant_id) == 52);
static_assert(offsetof(ExtendedCommand, self_trade) == 56);
static_assert(offsetof(ExtendedCommand, zero) == 57);
#pragma GCC diagnostic pop

/// One event.
struct alignas(64) Event {
    std::uint64_t sequence;         // Ordinal of the command since the engine was made, from 0.
    std::uint64_t order_id;         // The order it is about; of a trade, the aggressor.
    std::uint64_t maker_id;         // Of a trade, the resting order.
    std::int64_t price;             // Of a trade, the print.
    std::uint32_t quantity;         // Of a trade, what was executed.
    std::uint32_t remaining;        // What the order has left afterward.
    std::uint32_t maker_remaining;  // Of a trade, the same of the resting order.
    std::uint32_t symbol;
    std::uint64_t trade_id;  // Of a trade, its ordinal from 1.
    ExecType kind;
    std::uint8_t side;  // Side of the order.
    Reason reason;
    CommandType command;  // CommandType of the command under way.
    std::uint32_t zero;
};
static_assert(sizeof(Event) == 64);
static_assert(alignof(Event) == 64);
static_assert(offsetof(Event, sequence) == 0);
static_assert(offsetof(Event, order_id) == 8);
static_assert(offsetof(Event, maker_id) == 16);
static_assert(offsetof(Event, price) == 24);
static_assert(offsetof(Event, quantity) == 32);
static_assert(offsetof(Event, remaining) == 36);
static_assert(offsetof(Event, maker_remaining) == 40);
static_assert(offsetof(Event, symbol) == 44);
static_assert(offsetof(Event, trade_id) == 48);
static_assert(offsetof(Event, kind) == 56);
static_assert(offsetof(Event, side) == 57);
static_assert(offsetof(Event, reason) == 58);
static_assert(offsetof(Event, command) == 59);
static_assert(offsetof(Event, zero) == 60);

/// One record of the trade tape.
struct alignas(32) Trade {
    std::uint64_t maker_id;  // The order that rested.
    std::uint64_t taker_id;  // The order that came in.
    std::int64_t price;
    std::uint32_t quantity;
    std::uint32_t symbol;
};
static_assert(sizeof(Trade) == 32);
static_assert(alignof(Trade) == 32);
static_assert(offsetof(Trade, maker_id) == 0);
static_assert(offsetof(Trade, taker_id) == 8);
static_assert(offsetof(Trade, price) == 16);
static_assert(offsetof(Trade, quantity) == 24);
static_assert(offsetof(Trade, symbol) == 28);

/// One price level of a book.
struct LevelRow {
    std::int64_t price;
    std::uint64_t quantity;     // The sum of what its orders show.
    std::uint64_t order_count;  // How many they are.
    std::uint64_t zero;
};
static_assert(sizeof(LevelRow) == 32);
static_assert(alignof(LevelRow) == 8);
static_assert(offsetof(LevelRow, price) == 0);
static_assert(offsetof(LevelRow, quantity) == 8);
static_assert(offsetof(LevelRow, order_count) == 16);
static_assert(offsetof(LevelRow, zero) == 24);

/// One resting order of a level-3 listing.
struct alignas(32) OrderRow {
    std::uint64_t order_id;
    std::int64_t price;      // Its limit.
    std::uint32_t quantity;  // What it shows.
    std::uint32_t symbol;
    std::uint8_t side;   // Side
    std::uint8_t flags;  // flag_all_or_none, or 0.
    std::uint16_t zero;
    std::uint32_t reserve_quantity;  // What an iceberg has behind its slice.
};
static_assert(sizeof(OrderRow) == 32);
static_assert(alignof(OrderRow) == 32);
static_assert(offsetof(OrderRow, order_id) == 0);
static_assert(offsetof(OrderRow, price) == 8);
static_assert(offsetof(OrderRow, quantity) == 16);
static_assert(offsetof(OrderRow, symbol) == 20);
static_assert(offsetof(OrderRow, side) == 24);
static_assert(offsetof(OrderRow, flags) == 25);
static_assert(offsetof(OrderRow, zero) == 26);
static_assert(offsetof(OrderRow, reserve_quantity) == 28);

/// One waiting stop.
struct alignas(64) StopRow {
    std::uint64_t order_id;
    std::int64_t price;      // Its limit; 0: it becomes a market order.
    std::int64_t trigger;    // Where it now triggers.
    std::uint32_t quantity;  // What it brings.
    std::uint32_t symbol;
    CommandType kind;
    std::uint8_t side;  // Side
    std::uint8_t zero[30];
};
static_assert(sizeof(StopRow) == 64);
static_assert(alignof(StopRow) == 64);
static_assert(offsetof(StopRow, order_id) == 0);
static_assert(offsetof(StopRow, price) == 8);
static_assert(offsetof(StopRow, trigger) == 16);
static_assert(offsetof(StopRow, quantity) == 24);
static_assert(offsetof(StopRow, symbol) == 28);
static_assert(offsetof(StopRow, kind) == 32);
static_assert(offsetof(StopRow, side) == 33);
static_assert(offsetof(StopRow, zero) == 34);

/// One symbol's rules: what its prices and quantities may be, and how they are matched.
struct SymbolRules {
    std::int64_t tick = 1;       // Prices are multiples of it; 1 or more.
    std::int64_t lot = 1;        // Quantities are multiples of it; 1 to the largest quantity.
    std::int64_t price_min = 0;  // The lowest price of the band, included.
    std::int64_t price_max = 0;  // The highest, included.
    MatchAlgorithm algorithm = MatchAlgorithm::fifo;
    TickRounding off_tick = TickRounding::reject;
};
static_assert(sizeof(SymbolRules) == 48);
static_assert(alignof(SymbolRules) == 8);
static_assert(offsetof(SymbolRules, tick) == 0);
static_assert(offsetof(SymbolRules, lot) == 8);
static_assert(offsetof(SymbolRules, price_min) == 16);
static_assert(offsetof(SymbolRules, price_max) == 24);
static_assert(offsetof(SymbolRules, algorithm) == 32);
static_assert(offsetof(SymbolRules, off_tick) == 40);

/// Whether it enters an order.
constexpr bool is_order(const Command& command) {
    return command.kind == CommandType::limit || command.kind == CommandType::market ||
           command.kind == CommandType::stop || command.kind == CommandType::stop_limit ||
           command.kind == CommandType::trailing_stop;
}
/// Whether it enters an order that waits for its trigger.
constexpr bool is_stop(const Command& command) {
    return command.kind == CommandType::stop || command.kind == CommandType::stop_limit ||
           command.kind == CommandType::trailing_stop;
}
/// Whether it states a price.
constexpr bool has_price(const Command& command) {
    return command.kind == CommandType::limit || command.kind == CommandType::replace ||
           command.kind == CommandType::stop_limit;
}

/// What an order says, in the bits behind those of its flags.
inline constexpr unsigned says_trigger = 16;
inline constexpr unsigned says_expiry = 32;
inline constexpr unsigned says_display_quantity = 64;
inline constexpr unsigned says_time = 128;  // every order: its time in force

/// All that an order may say, by kind and time in force (gtc, ioc, fok, day, gtd): 0 where it does not take that time.
/// A row for each kind, so that one index finds it; kinds that are no orders say nothing.
inline constexpr std::uint8_t may_say[][5] = {
    {0x00, 0x00, 0x00, 0x00, 0x00},  // no command
    {0xC7, 0x80, 0x80, 0xC7, 0xE7},  // limit
    {0x80, 0x80, 0x80, 0x00, 0x00},  // market
    {0x00, 0x00, 0x00, 0x00, 0x00},  // cancel
    {0x00, 0x00, 0x00, 0x00, 0x00},  // reduce
    {0x00, 0x00, 0x00, 0x00, 0x00},  // replace
    {0x90, 0x00, 0x00, 0x90, 0xB0},  // stop
    {0x90, 0x00, 0x00, 0x90, 0xB0},  // stop_limit
    {0x98, 0x00, 0x00, 0x98, 0xB8},  // trailing_stop
    {0x00, 0x00, 0x00, 0x00, 0x00},  // advance_time
    {0x00, 0x00, 0x00, 0x00, 0x00},  // phase
};
static_assert(std::size(may_say) == static_cast<std::size_t>(CommandType::phase) + 1);

}  // namespace lowlat
