/* The matching engine for C, and for every language that can call C. C11 or C++11; docs/matching.md says what the
 * engine does with each command, this file how to hand commands over and to get events back.
 *
 * Ownership. An engine belongs to whom lowlat_create gave it, until lowlat_destroy. Nothing that is handed over is
 * kept: settings, rules, commands and arrays are the caller's, and are read or written only during the call. Strings
 * returned are constants.
 *
 * Threads. Engines are independent of one another. One thread at a time may use an engine, whichever it is; another one
 * meanwhile gets LOWLAT_BUSY and has changed nothing. lowlat_destroy must not run beside any other call.
 *
 * Units. Prices are integers in a symbol's price unit, quantities integer lots, expiries and the clock whatever unit
 * the caller counts time in: the engine reads no clock of its own.
 *
 * Layouts. Records are 32 or 64 bytes, little-endian fields at the offsets that C gives them, without padding: byte for
 * byte the dtypes of engine/matching/records.py. Arrays start at multiples of 8 bytes. Fields called `zero` are written
 * as zero and not read.
 *
 * Errors. Every function but lowlat_destroy and lowlat_message returns a lowlat_status, LOWLAT_OK or what was wrong. A
 * call that did not return LOWLAT_OK has changed nothing and written nothing, except LOWLAT_OUT_OF_MEMORY from
 * lowlat_process and lowlat_process_extended. A command that the book refuses is no error: it gives an event,
 * LOWLAT_REJECTED, with its reason.
 */
#ifndef LOWLAT_H
#define LOWLAT_H

#include <stddef.h>
#include <stdint.h>

#if defined(LOWLAT_BUILDS_LIBRARY)
#define LOWLAT_API __attribute__((visibility("default")))
#else
#define LOWLAT_API
#endif

#ifdef __cplusplus
#define LOWLAT_NOEXCEPT noexcept
extern "C" {
#else
#define LOWLAT_NOEXCEPT
#endif

/* -- what fields hold ------------------------------------------------------------------------------------------------
 */

/* lowlat_command.kind; zero is no kind */
enum lowlat_command_type {
    LOWLAT_LIMIT = 1,
    LOWLAT_MARKET = 2,
    LOWLAT_CANCEL = 3,
    LOWLAT_REDUCE = 4,
    LOWLAT_REPLACE = 5,
    LOWLAT_STOP = 6,
    LOWLAT_STOP_LIMIT = 7,
    LOWLAT_TRAILING_STOP = 8,
    LOWLAT_ADVANCE_TIME = 9,
    LOWLAT_PHASE = 10
};

enum lowlat_side { LOWLAT_BUY = 0, LOWLAT_SELL = 1 };

enum lowlat_time_in_force { LOWLAT_GTC = 0, LOWLAT_IOC = 1, LOWLAT_FOK = 2, LOWLAT_DAY = 3, LOWLAT_GTD = 4 };

/* bits of lowlat_command.flags */
enum lowlat_exec_inst {
    LOWLAT_POST_ONLY = 1,
    LOWLAT_PRICE_SLIDE = 2,
    LOWLAT_ALL_OR_NONE = 4,
    LOWLAT_TRAIL_BASIS_POINTS = 8
};

enum lowlat_self_trade_prevention {
    LOWLAT_SELF_TRADE_NONE = 0,
    LOWLAT_SELF_TRADE_CANCEL_RESTING = 1,
    LOWLAT_SELF_TRADE_CANCEL_AGGRESSING = 2,
    LOWLAT_SELF_TRADE_CANCEL_BOTH = 3,
    LOWLAT_SELF_TRADE_DECREMENT = 4
};

/* `quantity` of a LOWLAT_PHASE command */
enum lowlat_trading_phase {
    LOWLAT_PHASE_CONTINUOUS = 0,
    LOWLAT_PHASE_CALL = 1,
    LOWLAT_PHASE_HALTED = 2,
    LOWLAT_PHASE_CLOSED = 3
};

/* lowlat_event.kind */
enum lowlat_exec_type {
    LOWLAT_ACCEPTED = 1,
    LOWLAT_REJECTED = 2,
    LOWLAT_TRADE = 3,
    LOWLAT_CANCELLED = 4,
    LOWLAT_REDUCED = 5,
    LOWLAT_REPLACED = 6,
    LOWLAT_TRIGGERED = 7,
    LOWLAT_REFILLED = 8
};

/* lowlat_event.reason */
enum lowlat_reason {
    LOWLAT_REASON_NONE = 0,
    LOWLAT_REASON_UNKNOWN_KIND = 1,
    LOWLAT_REASON_UNKNOWN_SYMBOL = 2,
    LOWLAT_REASON_UNKNOWN_SIDE = 3,
    LOWLAT_REASON_UNKNOWN_TIME_IN_FORCE = 4,
    LOWLAT_REASON_UNKNOWN_FLAG = 5,
    LOWLAT_REASON_QUANTITY_NOT_POSITIVE = 6,
    LOWLAT_REASON_QUANTITY_TOO_LARGE = 7,
    LOWLAT_REASON_QUANTITY_OFF_LOT = 8,
    LOWLAT_REASON_PRICE_ON_MARKET_ORDER = 9,
    LOWLAT_REASON_PRICE_OFF_TICK = 10,
    LOWLAT_REASON_PRICE_OUTSIDE_BAND = 11,
    LOWLAT_REASON_DUPLICATE_ORDER_ID = 12,
    LOWLAT_REASON_UNKNOWN_ORDER_ID = 13,
    LOWLAT_REASON_REDUCE_EXCEEDS_REMAINING = 14,
    LOWLAT_REASON_POST_ONLY_CONFLICT = 15,
    LOWLAT_REASON_POST_ONLY_WOULD_TRADE = 16,
    LOWLAT_REASON_FOK_NOT_FILLABLE = 17,
    LOWLAT_REASON_ORDER_POOL_FULL = 18,
    LOWLAT_REASON_TRADE_POOL_FULL = 19,
    LOWLAT_REASON_REQUESTED = 20,
    LOWLAT_REASON_IOC_REMAINDER = 21,
    LOWLAT_REASON_MARKET_REMAINDER = 22,
    LOWLAT_REASON_UNKNOWN_SELF_TRADE = 23,
    LOWLAT_REASON_TERM_NOT_FOR_KIND = 24,
    LOWLAT_REASON_TERMS_CONFLICT = 25,
    LOWLAT_REASON_DISPLAY_TOO_LARGE = 26,
    LOWLAT_REASON_DISPLAY_TOO_SMALL = 27,
    LOWLAT_REASON_EXPIRY_NOT_AHEAD = 28,
    LOWLAT_REASON_TRAIL_OUT_OF_RANGE = 29,
    LOWLAT_REASON_NOT_IN_THIS_PHASE = 30,
    LOWLAT_REASON_STOP_THROUGH_MARKET = 31,
    LOWLAT_REASON_NO_LAST_TRADE = 32,
    LOWLAT_REASON_STOP_STILL_WAITS = 33,
    LOWLAT_REASON_CLOCK_BACKWARDS = 34,
    LOWLAT_REASON_UNKNOWN_PHASE = 35,
    LOWLAT_REASON_EXPIRED = 36,
    LOWLAT_REASON_SELF_TRADE = 37
};

/* lowlat_symbol_rules.algorithm */
enum lowlat_match_algorithm { LOWLAT_ALGORITHM_FIFO = 0, LOWLAT_ALGORITHM_PRO_RATA = 1 };

/* lowlat_symbol_rules.off_tick */
enum lowlat_tick_rounding {
    LOWLAT_TICK_ROUNDING_REJECT = 0,
    LOWLAT_TICK_ROUNDING_NEAREST = 1,
    LOWLAT_TICK_ROUNDING_PASSIVE = 2
};

/* What a pool does that has no record left: the command is rejected; the pool doubles, which takes memory; the oldest
 * record is overwritten (trade tape only). */
enum lowlat_pool_policy { LOWLAT_POOL_REFUSE = 0, LOWLAT_POOL_GROW = 1, LOWLAT_POOL_RECYCLE = 2 };

/* -- records ---------------------------------------------------------------------------------------------------------
 */

/* 32 bytes. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped. */
typedef struct lowlat_command {
    uint64_t order_id;
    int64_t price;
    int64_t quantity;
    uint32_t symbol;
    uint8_t kind; /* lowlat_command_type */
    uint8_t side;
    uint8_t time_in_force;
    uint8_t flags;
} lowlat_command;

/* 64 bytes: a command, and what few commands have to say. With all of that zero it is the lowlat_command. */
typedef struct lowlat_extended_command {
    uint64_t order_id;
    int64_t price;
    int64_t quantity;
    uint32_t symbol;
    uint8_t kind;
    uint8_t side;
    uint8_t time_in_force;
    uint8_t flags;
    int64_t trigger;           /* a stop's price, or how far a trailing stop trails */
    uint64_t expiry;           /* of a LOWLAT_GTD order */
    uint32_t display_quantity; /* an iceberg's slice */
    uint32_t participant_id;   /* 0: nobody */
    uint8_t self_trade;        /* lowlat_self_trade_prevention */
    uint8_t zero[7];
} lowlat_extended_command;

/* 64 bytes. docs/matching.md, "Events", says what each field holds. */
typedef struct lowlat_event {
    uint64_t sequence; /* ordinal of the command since the engine was made or reset, from 0 */
    uint64_t order_id;
    uint64_t maker_id;
    int64_t price;
    uint32_t quantity;
    uint32_t remaining;
    uint32_t maker_remaining;
    uint32_t symbol;
    uint64_t trade_id;
    uint8_t kind; /* lowlat_exec_type */
    uint8_t side;
    uint8_t reason;
    uint8_t command; /* lowlat_command_type */
    uint32_t zero;
} lowlat_event;

/* 32 bytes: one record of the trade tape. */
typedef struct lowlat_trade {
    uint64_t maker_id;
    uint64_t taker_id;
    int64_t price;
    uint32_t quantity;
    uint32_t symbol;
} lowlat_trade;

/* 32 bytes: one price of a book, the sum of what its orders show, their number. */
typedef struct lowlat_level {
    int64_t price;
    uint64_t quantity;
    uint64_t order_count;
    uint64_t zero;
} lowlat_level;

/* 32 bytes: one resting order. */
typedef struct lowlat_order {
    uint64_t order_id;
    int64_t price;
    uint32_t quantity; /* what it shows */
    uint32_t symbol;
    uint8_t side;
    uint8_t flags; /* LOWLAT_ALL_OR_NONE, or 0 */
    uint16_t zero;
    uint32_t reserve_quantity; /* what an iceberg has behind its slice */
} lowlat_order;

/* 64 bytes: one waiting stop. */
typedef struct lowlat_stop {
    uint64_t order_id;
    int64_t price;   /* its limit; 0: it becomes a market order */
    int64_t trigger; /* where it now triggers */
    uint32_t quantity;
    uint32_t symbol;
    uint8_t kind;
    uint8_t side;
    uint8_t zero[30];
} lowlat_stop;

/* Best bid and ask, and all that is shown there. A side with quantity 0 is empty. */
typedef struct lowlat_top_of_book {
    int64_t bid;
    uint64_t bid_quantity;
    int64_t ask;
    uint64_t ask_quantity;
} lowlat_top_of_book;

/* What an uncross would do now. With volume 0 nothing would trade. */
typedef struct lowlat_auction_indicative {
    int64_t price;
    uint64_t volume;
    int64_t imbalance; /* buy less sell quantity at the price */
} lowlat_auction_indicative;

/* Since the engine was made or reset, but for what is held now, and for `growths`, which a reset does not take back.
 * New fields come at the end. */
typedef struct lowlat_counters {
    uint64_t commands;
    uint64_t trades;
    uint64_t live_orders;     /* resting and waiting now, over all symbols */
    uint64_t order_refusals;  /* commands rejected because the order pool was dry */
    uint64_t trade_refusals;  /* the same of the trade tape */
    uint64_t trades_held;     /* records on the tape now */
    uint64_t trades_recycled; /* records overwritten */
    uint64_t growths;         /* times a pool grew */
    uint64_t index_rehashes;  /* times the id index changed its hash */
    uint64_t events_held;     /* events not drained yet */
} lowlat_counters;

/* -- settings --------------------------------------------------------------------------------------------------------
 */

/* Most resting orders, records on the tape, symbols. */
#define LOWLAT_ORDERS_MAX (UINT32_C(1) << 30)
#define LOWLAT_TRADES_MAX (UINT64_C(1) << 32)
#define LOWLAT_SYMBOLS_MAX (UINT32_C(1) << 16)
/* Largest quantity of one order, and largest lot. */
#define LOWLAT_QUANTITY_MAX UINT32_MAX

/* What a symbol is to the engine. */
typedef struct lowlat_symbol_rules {
    int64_t tick;      /* prices are multiples of it; 1 or more */
    int64_t lot;       /* quantities are multiples of it; 1 to LOWLAT_QUANTITY_MAX */
    int64_t price_min; /* the band, both ends included */
    int64_t price_max;
    int64_t algorithm; /* lowlat_match_algorithm */
    int64_t off_tick;  /* lowlat_tick_rounding */
} lowlat_symbol_rules;

/* The rules of a plain symbol: tick 1, lot 1, every price, first in first out. */
#define LOWLAT_DEFAULT_RULES {1, 1, INT64_MIN, INT64_MAX, LOWLAT_ALGORITHM_FIFO, LOWLAT_TICK_ROUNDING_REJECT}

/* How an engine is made. New fields of this struct and of lowlat_symbol_rules come at the end, with zero for what was
 * before: `size` and `rules_size` say which the caller knows. A caller newer than the library is understood as long as
 * what the library does not know is zero. */
typedef struct lowlat_engine_config {
    size_t size;       /* sizeof(lowlat_engine_config) */
    size_t rules_size; /* sizeof(lowlat_symbol_rules): from one element of `rules` to the next */
    const lowlat_symbol_rules* rules;
    uint32_t symbols;         /* elements of `rules`; symbols are named 0, 1, ... */
    uint32_t orders;          /* resting and waiting orders there is room for, over all symbols */
    uint64_t trades;          /* records the trade tape holds */
    uint32_t when_orders_dry; /* LOWLAT_POOL_REFUSE or _GROW */
    uint32_t when_trades_dry; /* lowlat_pool_policy */
} lowlat_engine_config;

/* -- functions -------------------------------------------------------------------------------------------------------
 */

/* What a call returns. New ones come at the end. */
typedef int32_t lowlat_status;
enum {
    LOWLAT_OK = 0,
    LOWLAT_NULL_ARGUMENT = 1, /* a pointer is NULL that must not be */
    LOWLAT_MISALIGNED = 2,    /* an array does not start at a multiple of 8 bytes */
    LOWLAT_UNKNOWN_SIZE = 3, /* `size` or `rules_size` is of no version of the struct, or what came later is not zero */
    LOWLAT_BAD_RULES = 4,    /* a symbol's rules: a field out of its range, or an empty band */
    LOWLAT_BAD_CONFIG = 5, /* `symbols`, `orders`, `trades`, `when_orders_dry` or `when_trades_dry` out of its range */
    LOWLAT_UNKNOWN_SYMBOL = 6, /* a query names a symbol that the engine does not hold */
    LOWLAT_UNKNOWN_SIDE = 7,   /* a query names a side that there is not */
    LOWLAT_OUT_OF_MEMORY = 8,
    LOWLAT_BUSY = 9,   /* another thread is using this engine */
    LOWLAT_BROKEN = 10 /* memory ran out inside a command before; drain, then reset or destroy */
};

typedef struct lowlat_engine lowlat_engine;

/* One sentence for a status, for people. Never NULL. */
LOWLAT_API const char* lowlat_message(lowlat_status status) LOWLAT_NOEXCEPT;

/* Make an engine with empty books and put it at *engine. All memory of its pools is taken, touched and, where the
 * limits permit, locked: a resting order takes about 200 bytes, a trade 32. Ask for what the host has; the kernel may
 * promise more, and end the process when it is touched. */
LOWLAT_API lowlat_status lowlat_create(const lowlat_engine_config* settings, lowlat_engine** engine) LOWLAT_NOEXCEPT;

/* Give back all that an engine holds. NULL is nothing to give back. */
LOWLAT_API void lowlat_destroy(lowlat_engine* engine) LOWLAT_NOEXCEPT;

/* Execute `count` commands in order; each gives at least one event. Events are held, in order, behind those not drained
 * yet, in memory that grows as needed: who does not drain will run out of it. NULL will do for no commands.
 *
 * LOWLAT_OUT_OF_MEMORY: memory ran out inside a command. All commands before it are done and their events are held; it
 * and those after it have no event, and the engine is LOWLAT_BROKEN to every call but lowlat_drain, lowlat_reset and
 * lowlat_destroy. */
LOWLAT_API lowlat_status lowlat_process(lowlat_engine* engine, const lowlat_command* commands,
                                        size_t count) LOWLAT_NOEXCEPT;
LOWLAT_API lowlat_status lowlat_process_extended(lowlat_engine* engine, const lowlat_extended_command* commands,
                                                 size_t count) LOWLAT_NOEXCEPT;

/* Move the oldest events held, at most `room` of them, into the caller's array; *drained is how many. What does not fit
 * stays held. */
LOWLAT_API lowlat_status lowlat_drain(lowlat_engine* engine, lowlat_event* events, size_t room,
                                      size_t* drained) LOWLAT_NOEXCEPT;

/* Best bid and ask of a symbol. */
LOWLAT_API lowlat_status lowlat_get_top_of_book(lowlat_engine* engine, uint32_t symbol,
                                                lowlat_top_of_book* best) LOWLAT_NOEXCEPT;

/* These write the first `room` rows that there are into the caller's array; *count is how many were written. Room for
 * `live_orders` of lowlat_get_counters is enough for all of levels, orders and stops, for `trades_held` of trades. NULL
 * will do for no room. */

/* Levels of a side, best first. */
LOWLAT_API lowlat_status lowlat_get_depth(lowlat_engine* engine, uint32_t symbol, uint32_t side, lowlat_level* levels,
                                          size_t room, size_t* count) LOWLAT_NOEXCEPT;
/* Resting orders: bids best first, then asks best first; oldest first within a level. */
LOWLAT_API lowlat_status lowlat_get_orders(lowlat_engine* engine, uint32_t symbol, lowlat_order* orders, size_t room,
                                           size_t* count) LOWLAT_NOEXCEPT;
/* Waiting stops: buys lowest trigger first, then sells highest first; oldest first at one trigger. */
LOWLAT_API lowlat_status lowlat_get_stops(lowlat_engine* engine, uint32_t symbol, lowlat_stop* stops, size_t room,
                                          size_t* count) LOWLAT_NOEXCEPT;
/* Records on the trade tape, oldest first. */
LOWLAT_API lowlat_status lowlat_get_trades(lowlat_engine* engine, lowlat_trade* trades, size_t room,
                                           size_t* count) LOWLAT_NOEXCEPT;

/* Release the records on the trade tape; *released is how many there were. */
LOWLAT_API lowlat_status lowlat_release_trades(lowlat_engine* engine, uint64_t* released) LOWLAT_NOEXCEPT;

/* What an uncross would do now, in any phase. */
LOWLAT_API lowlat_status lowlat_get_auction_indicative(lowlat_engine* engine, uint32_t symbol,
                                                       lowlat_auction_indicative* indicative) LOWLAT_NOEXCEPT;

/* What was counted. `size`: sizeof(lowlat_counters); a later library's further counters are left out, and counters that
 * an earlier library does not know are zero. */
LOWLAT_API lowlat_status lowlat_get_counters(lowlat_engine* engine, lowlat_counters* counters,
                                             size_t size) LOWLAT_NOEXCEPT;

/* Empty every book, the tape and the counters, and drop the events that are held; the memory stays. The next command is
 * number 0 again. */
LOWLAT_API lowlat_status lowlat_reset(lowlat_engine* engine) LOWLAT_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
