// The records that cross the border to Python: byte for byte the dtypes of engine/matching/records.py.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowlat {

enum class CommandType : std::uint8_t {
    limit = 1,
    market = 2,
    cancel = 3,
    reduce = 4,
    replace = 5,
    stop = 6,
    stop_limit = 7,
    trailing_stop = 8,
    advance_time = 9,
    phase = 10
};
enum class Side : std::uint8_t { buy = 0, sell = 1 };
enum class TimeInForce : std::uint8_t { gtc = 0, ioc = 1, fok = 2, day = 3, gtd = 4 };
enum class SelfTradePrevention : std::uint8_t {
    none = 0,
    cancel_resting = 1,
    cancel_aggressing = 2,
    cancel_both = 3,
    decrement = 4
};
enum class TradingPhase : std::uint8_t { continuous = 0, call = 1, halted = 2, closed = 3 };
inline constexpr std::uint8_t flag_post_only = 1;
inline constexpr std::uint8_t flag_price_slide = 2;
inline constexpr std::uint8_t flag_all_or_none = 4;
inline constexpr std::uint8_t flag_trail_basis_points = 8;

enum class ExecType : std::uint8_t {
    accepted = 1,
    rejected = 2,
    trade = 3,
    cancelled = 4,
    reduced = 5,
    replaced = 6,
    triggered = 7,
    refilled = 8,
};

enum class Reason : std::uint8_t {
    none = 0,
    unknown_kind = 1,
    unknown_symbol = 2,
    unknown_side = 3,
    unknown_time_in_force = 4,
    unknown_flag = 5,
    quantity_not_positive = 6,
    quantity_too_large = 7,
    quantity_off_lot = 8,
    price_on_market_order = 9,
    price_off_tick = 10,
    price_outside_band = 11,
    duplicate_order_id = 12,
    unknown_order_id = 13,
    reduce_exceeds_remaining = 14,
    post_only_conflict = 15,
    post_only_would_trade = 16,
    fok_not_fillable = 17,
    order_pool_full = 18,
    trade_pool_full = 19,
    requested = 20,
    ioc_remainder = 21,
    market_remainder = 22,
    unknown_self_trade = 23,
    term_not_for_kind = 24,
    terms_conflict = 25,
    display_too_large = 26,
    display_too_small = 27,
    expiry_not_ahead = 28,
    trail_out_of_range = 29,
    not_in_this_phase = 30,
    stop_through_market = 31,
    no_last_trade = 32,
    stop_still_waits = 33,
    clock_backwards = 34,
    unknown_phase = 35,
    expired = 36,
    self_trade = 37,
};

inline constexpr std::int64_t quantity_max = 0xFFFF'FFFF;

/// Not over-aligned: a caller's array may start at any multiple of 8. Arrays made here start at one of 64.
struct Command {
    std::uint64_t order_id;
    std::int64_t price;
    std::int64_t quantity;
    std::uint32_t symbol;
    CommandType kind;
    std::uint8_t side;
    std::uint8_t time_in_force;
    std::uint8_t flags;
};
static_assert(sizeof(Command) == 32 && alignof(Command) == 8);

/// A command, and what few commands have to say.
struct ExtendedCommand : Command {
    std::int64_t trigger;
    std::uint64_t expiry;
    std::uint32_t display_quantity;
    std::uint32_t participant_id;
    SelfTradePrevention self_trade;
    std::uint8_t zero[7];
};
static_assert(sizeof(ExtendedCommand) == 64 && alignof(ExtendedCommand) == 8);

struct alignas(64) Event {
    std::uint64_t sequence;
    std::uint64_t order_id;
    std::uint64_t maker_id;
    std::int64_t price;
    std::uint32_t quantity;
    std::uint32_t remaining;
    std::uint32_t maker_remaining;
    std::uint32_t symbol;
    std::uint64_t trade_id;
    ExecType kind;
    std::uint8_t side;
    Reason reason;
    CommandType command;
    std::uint32_t zero;
};
static_assert(sizeof(Event) == 64);

struct alignas(32) Trade {
    std::uint64_t maker_id;
    std::uint64_t taker_id;
    std::int64_t price;
    std::uint32_t quantity;
    std::uint32_t symbol;
};
static_assert(sizeof(Trade) == 32);

/// Not over-aligned either: level updates take a caller's array of levels.
struct LevelRow {
    std::int64_t price;
    std::uint64_t quantity;
    std::uint64_t order_count;
    std::uint64_t zero;
};
static_assert(sizeof(LevelRow) == 32);

struct alignas(32) OrderRow {
    std::uint64_t order_id;
    std::int64_t price;
    std::uint32_t quantity;
    std::uint32_t symbol;
    std::uint8_t side;
    std::uint8_t flags;
    std::uint16_t zero;
    std::uint32_t reserve_quantity;
};
static_assert(sizeof(OrderRow) == 32);

struct alignas(64) StopRow {
    std::uint64_t order_id;
    std::int64_t price;
    std::int64_t trigger;
    std::uint32_t quantity;
    std::uint32_t symbol;
    CommandType kind;
    std::uint8_t side;
    std::uint8_t zero[30];
};
static_assert(sizeof(StopRow) == 64);

}  // namespace lowlat
