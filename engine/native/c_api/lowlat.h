/* The matching engine for C, and for every language that can call C. C11 or C++11. See docs/matching.md for what
 * the engine does with each command; this file declares how to pass commands and get events. C++20 programs can also
 * include lowlat.hpp, which has the engine inlined.
 *
 * Ownership. The caller of lowlat_create owns the engine until lowlat_destroy. The engine keeps no pointers to
 * arguments: settings, rules, commands and arrays belong to the caller, and are read or written only during the call.
 * Strings returned are constants.
 *
 * Threads. Engines are independent of one another. Any thread may use an engine, but only one at a time; a concurrent
 * call returns LOWLAT_BUSY and changes nothing. A thread that uses an engine alone can claim it, which makes every call
 * cheaper (lowlat_claim). lowlat_destroy must not run concurrently with any other call.
 *
 * Units. Prices are integers in a symbol's price unit, quantities are integers in lots. Expiries and the clock are in
 * any unit that the caller chooses: the engine does not read a system clock.
 *
 * Layouts. Records are 32 or 64 bytes, with little-endian fields at their C offsets, without padding: byte for byte the
 * dtypes of engine/matching/records.py. Arrays and commands start at multiples of 8 bytes, the events of
 * lowlat_process_into at one of 64. Fields called `zero` are written as zero and not read.
 *
 * Errors. Every function except lowlat_destroy and lowlat_message returns a lowlat_status: LOWLAT_OK or an error. A
 * call that does not return LOWLAT_OK has changed and written nothing, except LOWLAT_OUT_OF_MEMORY from the functions
 * that execute commands. A command that the engine rejects is not an error: it emits an event, LOWLAT_REJECTED, with
 * its reason.
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

/* -- field values ----------------------------------------------------------------------------------------------------
 */

/* generated: enumerations */

#ifndef LOWLAT_ENUMERATIONS
#define LOWLAT_ENUMERATIONS

/* What a command asks for. Zero is no kind: a record of zeros is rejected. In lowlat_command.kind. */
enum lowlat_command_type {
    LOWLAT_LIMIT = 1,         /* Trades as far as its price reaches; what remains rests or is canceled. */
    LOWLAT_MARKET = 2,        /* Trades at any price; what remains is canceled. */
    LOWLAT_CANCEL = 3,        /* Takes a resting or waiting order out. */
    LOWLAT_REDUCE = 4,        /* Takes `quantity` off an order, which keeps its place. */
    LOWLAT_REPLACE = 5,       /* Gives an order a new price and a new remaining quantity. */
    LOWLAT_STOP = 6,          /* Waits; a trade at `trigger` or beyond makes it a market order. */
    LOWLAT_STOP_LIMIT = 7,    /* Waits; a trade at `trigger` or beyond makes it a limit order at `price`. */
    LOWLAT_TRAILING_STOP = 8, /* A stop whose trigger follows the best trade price. */
    LOWLAT_ADVANCE_TIME = 9,  /* Sets the engine's clock to `quantity`; orders whose expiry has come are gone. */
    LOWLAT_PHASE = 10         /* The symbol enters phase `quantity`. */
};

/* Side of an order. */
enum lowlat_side {
    LOWLAT_BUY = 0, /* Bids. */
    LOWLAT_SELL = 1 /* Asks. */
};

/* How long an order lives. */
enum lowlat_time_in_force {
    LOWLAT_GTC = 0, /* Until canceled. */
    LOWLAT_IOC = 1, /* Trades what it can at once; the remainder is canceled. */
    LOWLAT_FOK = 2, /* Trades whole at once, or is rejected. */
    LOWLAT_DAY = 3, /* Until the symbol's phase becomes LOWLAT_PHASE_CLOSED. */
    LOWLAT_GTD = 4  /* Until the clock reaches its expiry. */
};

/* Bits of the `flags` of commands and orders. */
enum lowlat_exec_inst {
    LOWLAT_POST_ONLY = 1,         /* A limit order that would trade on arrival is rejected. */
    LOWLAT_PRICE_SLIDE = 2,       /* With post-only: one tick behind the other side instead. */
    LOWLAT_ALL_OR_NONE = 4,       /* A limit order that rests until it can trade whole. */
    LOWLAT_TRAIL_BASIS_POINTS = 8 /* A trailing stop's distance is in 1/10,000 of the price. */
};

/* What happens where an incoming order would trade with one of the same owner; the incoming one's policy counts. */
enum lowlat_self_trade_prevention {
    LOWLAT_SELF_TRADE_NONE = 0,              /* They trade. */
    LOWLAT_SELF_TRADE_CANCEL_RESTING = 1,    /* The resting order is canceled; matching goes on. */
    LOWLAT_SELF_TRADE_CANCEL_AGGRESSING = 2, /* What remains of the incoming order is canceled. */
    LOWLAT_SELF_TRADE_CANCEL_BOTH = 3,       /* Both are canceled, the resting one first. */
    LOWLAT_SELF_TRADE_DECREMENT = 4          /* Both lose the smaller of the two quantities, without a trade. */
};

/* What a symbol does with commands: match them, collect them for an uncross, or take nothing new. In `quantity` of a
 * LOWLAT_PHASE command. */
enum lowlat_trading_phase {
    LOWLAT_PHASE_CONTINUOUS = 0, /* Accepts everything; entered with an uncross. */
    LOWLAT_PHASE_CALL = 1,       /* Collects orders that rest; nothing trades. */
    LOWLAT_PHASE_HALTED = 2,     /* Takes orders out only. */
    LOWLAT_PHASE_CLOSED = 3      /* Takes orders out only; on entry day orders are canceled. */
};

/* What happened. In lowlat_event.kind. */
enum lowlat_exec_type {
    LOWLAT_ACCEPTED = 1,  /* The command passed every check. */
    LOWLAT_REJECTED = 2,  /* The command failed a check and changed nothing. */
    LOWLAT_TRADE = 3,     /* Two orders traded. */
    LOWLAT_CANCELLED = 4, /* What an order had left is gone. */
    LOWLAT_REDUCED = 5,   /* An order has less left, without a trade. */
    LOWLAT_REPLACED = 6,  /* An order has a new price and quantity. */
    LOWLAT_TRIGGERED = 7, /* A stop, or an all-or-none order, comes in. */
    LOWLAT_REFILLED = 8   /* An iceberg shows its next slice. */
};

/* Why an order was rejected, or why (what remained of) it was canceled. In lowlat_event.reason. */
enum lowlat_reason {
    LOWLAT_REASON_NONE = 0,                      /* Neither rejected nor canceled. */
    LOWLAT_REASON_UNKNOWN_KIND = 1,              /* There is no such kind of command. */
    LOWLAT_REASON_UNKNOWN_SYMBOL = 2,            /* The engine does not hold this symbol. */
    LOWLAT_REASON_UNKNOWN_SIDE = 3,              /* There is no such side. */
    LOWLAT_REASON_UNKNOWN_TIME_IN_FORCE = 4,     /* There is no such time in force, or a replace gives one. */
    LOWLAT_REASON_UNKNOWN_FLAG = 5,              /* There is no such flag, or a replace cannot have it. */
    LOWLAT_REASON_QUANTITY_NOT_POSITIVE = 6,     /* The quantity is zero or negative. */
    LOWLAT_REASON_QUANTITY_TOO_LARGE = 7,        /* The quantity does not fit 32 bits. */
    LOWLAT_REASON_QUANTITY_OFF_LOT = 8,          /* The quantity or the display is not a multiple of the lot. */
    LOWLAT_REASON_PRICE_ON_MARKET_ORDER = 9,     /* A kind without a price has one. */
    LOWLAT_REASON_PRICE_OFF_TICK = 10,           /* The price or the trigger is not a multiple of the tick. */
    LOWLAT_REASON_PRICE_OUTSIDE_BAND = 11,       /* The price or the trigger is outside the symbol's band. */
    LOWLAT_REASON_DUPLICATE_ORDER_ID = 12,       /* An order of this id rests or waits. */
    LOWLAT_REASON_UNKNOWN_ORDER_ID = 13,         /* No order of this id rests or waits. */
    LOWLAT_REASON_REDUCE_EXCEEDS_REMAINING = 14, /* The order has less left than it is to lose. */
    LOWLAT_REASON_POST_ONLY_CONFLICT = 15,       /* Post-only on what is not a limit order that rests. */
    LOWLAT_REASON_POST_ONLY_WOULD_TRADE = 16,    /* A post-only order would trade on arrival. */
    LOWLAT_REASON_FOK_NOT_FILLABLE = 17,         /* A fill-or-kill order cannot trade whole. */
    LOWLAT_REASON_ORDER_POOL_FULL = 18,          /* There is no room for another order. */
    LOWLAT_REASON_TRADE_POOL_FULL = 19,          /* The trade tape has no room for the trades. */
    LOWLAT_REASON_REQUESTED = 20,                /* A cancel asked for it. */
    LOWLAT_REASON_IOC_REMAINDER = 21,            /* What an immediate-or-cancel order could not trade. */
    LOWLAT_REASON_MARKET_REMAINDER = 22,         /* What a market order could not trade. */
    LOWLAT_REASON_UNKNOWN_SELF_TRADE = 23,       /* There is no such self-trade policy. */
    LOWLAT_REASON_TERM_NOT_FOR_KIND = 24,        /* The kind, with this time in force, cannot have a term. */
    LOWLAT_REASON_TERMS_CONFLICT = 25,           /* Two terms exclude each other. */
    LOWLAT_REASON_DISPLAY_TOO_LARGE = 26,        /* The display is larger than the order. */
    LOWLAT_REASON_DISPLAY_TOO_SMALL = 27,        /* The order would have more than 256 slices. */
    LOWLAT_REASON_EXPIRY_NOT_AHEAD = 28,         /* The expiry is not after the clock. */
    LOWLAT_REASON_TRAIL_OUT_OF_RANGE = 29,       /* A trailing stop's distance is not one. */
    LOWLAT_REASON_NOT_IN_THIS_PHASE = 30,        /* The symbol's phase does not take this command. */
    LOWLAT_REASON_STOP_THROUGH_MARKET = 31,      /* The last price has reached the trigger. */
    LOWLAT_REASON_NO_LAST_TRADE = 32,            /* A trailing stop has no trade to follow yet. */
    LOWLAT_REASON_STOP_STILL_WAITS = 33,         /* A waiting stop cannot be replaced. */
    LOWLAT_REASON_CLOCK_BACKWARDS = 34,          /* The time is before the clock. */
    LOWLAT_REASON_UNKNOWN_PHASE = 35,            /* There is no such phase. */
    LOWLAT_REASON_EXPIRED = 36,                  /* Its expiry, or the end of its day, has come. */
    LOWLAT_REASON_SELF_TRADE = 37                /* Self-trade prevention. */
};

/* How the resting orders of one price share what comes in. In lowlat_symbol_rules.algorithm. */
enum lowlat_match_algorithm {
    LOWLAT_ALGORITHM_FIFO = 0,    /* Oldest first. */
    LOWLAT_ALGORITHM_PRO_RATA = 1 /* In proportion to their quantities. */
};

/* What becomes of a price that is not a multiple of the tick. In lowlat_symbol_rules.off_tick. */
enum lowlat_tick_rounding {
    LOWLAT_TICK_ROUNDING_REJECT = 0,  /* It is rejected. */
    LOWLAT_TICK_ROUNDING_NEAREST = 1, /* The nearest multiple; halfway, lower for a buyer, higher for a seller. */
    LOWLAT_TICK_ROUNDING_PASSIVE = 2  /* The next lower multiple for a buyer, the next higher for a seller. */
};

/* What a pool does that has no record left. Each time is counted. */
enum lowlat_pool_policy {
    LOWLAT_POOL_REJECT = 0, /* The command is rejected; the book is untouched. */
    LOWLAT_POOL_GROW = 1,   /* The pool doubles, which takes memory. */
    LOWLAT_POOL_RECYCLE = 2 /* The oldest record is overwritten (trade tape only). */
};

#endif
/* end of generated */

/* -- records ---------------------------------------------------------------------------------------------------------
 */

/* generated: records */

#ifndef LOWLAT_RECORDS
#define LOWLAT_RECORDS

/* 32 bytes. One command. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped. */
typedef struct lowlat_command {
    uint64_t order_id;
    int64_t price;         /* In the symbol's price units. */
    int64_t quantity;      /* In lots; of a clock the time, of a phase the phase. */
    uint32_t symbol;       /* Symbols are numbered from 0. */
    uint8_t kind;          /* lowlat_command_type */
    uint8_t side;          /* lowlat_side */
    uint8_t time_in_force; /* lowlat_time_in_force */
    uint8_t flags;         /* Bits of lowlat_exec_inst. */
} lowlat_command;

/* 64 bytes. A command, and what few commands have to say. With all of that zero it is the lowlat_command. */
typedef struct lowlat_extended_command {
    uint64_t order_id;
    int64_t price;             /* In the symbol's price units. */
    int64_t quantity;          /* In lots; of a clock the time, of a phase the phase. */
    uint32_t symbol;           /* Symbols are numbered from 0. */
    uint8_t kind;              /* lowlat_command_type */
    uint8_t side;              /* lowlat_side */
    uint8_t time_in_force;     /* lowlat_time_in_force */
    uint8_t flags;             /* Bits of lowlat_exec_inst. */
    int64_t trigger;           /* A stop's price, or how far a trailing stop trails. */
    uint64_t expiry;           /* Of a LOWLAT_GTD order, on the engine's clock. */
    uint32_t display_quantity; /* An iceberg's slice. */
    uint32_t participant_id;   /* Who is not to trade with itself; 0: nobody. */
    uint8_t self_trade;        /* lowlat_self_trade_prevention */
    uint8_t zero[7];
} lowlat_extended_command;

/* 64 bytes. One event. */
typedef struct lowlat_event {
    uint64_t sequence;        /* Ordinal of the command since the engine was made, from 0. */
    uint64_t order_id;        /* The order it is about; of a trade, the aggressor. */
    uint64_t maker_id;        /* Of a trade, the resting order. */
    int64_t price;            /* Of a trade, the print. */
    uint32_t quantity;        /* Of a trade, what was executed. */
    uint32_t remaining;       /* What the order has left afterward. */
    uint32_t maker_remaining; /* Of a trade, the same of the resting order. */
    uint32_t symbol;
    uint64_t trade_id; /* Of a trade, its ordinal from 1. */
    uint8_t kind;      /* lowlat_exec_type */
    uint8_t side;      /* lowlat_side of the order. */
    uint8_t reason;    /* lowlat_reason */
    uint8_t command;   /* lowlat_command_type of the command under way. */
    uint32_t zero;
} lowlat_event;

/* 32 bytes. One record of the trade tape. */
typedef struct lowlat_trade {
    uint64_t maker_id; /* The order that rested. */
    uint64_t taker_id; /* The order that came in. */
    int64_t price;
    uint32_t quantity;
    uint32_t symbol;
} lowlat_trade;

/* 32 bytes. One price level of a book. */
typedef struct lowlat_level {
    int64_t price;
    uint64_t quantity;    /* The sum of what its orders show. */
    uint64_t order_count; /* How many they are. */
    uint64_t zero;
} lowlat_level;

/* 32 bytes. One resting order of a level-3 listing. */
typedef struct lowlat_order {
    uint64_t order_id;
    int64_t price;     /* Its limit. */
    uint32_t quantity; /* What it shows. */
    uint32_t symbol;
    uint8_t side;  /* lowlat_side */
    uint8_t flags; /* LOWLAT_ALL_OR_NONE, or 0. */
    uint16_t zero;
    uint32_t reserve_quantity; /* What an iceberg has behind its slice. */
} lowlat_order;

/* 64 bytes. One waiting stop. */
typedef struct lowlat_stop {
    uint64_t order_id;
    int64_t price;     /* Its limit; 0: it becomes a market order. */
    int64_t trigger;   /* Where it now triggers. */
    uint32_t quantity; /* What it brings. */
    uint32_t symbol;
    uint8_t kind; /* lowlat_command_type */
    uint8_t side; /* lowlat_side */
    uint8_t zero[30];
} lowlat_stop;

/* 48 bytes. One symbol's rules: what its prices and quantities may be, and how they are matched. */
typedef struct lowlat_symbol_rules {
    int64_t tick;      /* Prices are multiples of it; 1 or more. */
    int64_t lot;       /* Quantities are multiples of it; 1 to the largest quantity. */
    int64_t price_min; /* The lowest price of the band, included. */
    int64_t price_max; /* The highest, included. */
    int64_t algorithm; /* lowlat_match_algorithm */
    int64_t off_tick;  /* lowlat_tick_rounding */
} lowlat_symbol_rules;

#endif
/* end of generated */

/* Best bid and ask with their displayed quantities. A side with quantity 0 is empty. */
typedef struct lowlat_top_of_book {
    int64_t bid;
    uint64_t bid_quantity;
    int64_t ask;
    uint64_t ask_quantity;
} lowlat_top_of_book;

/* What an uncross would do now. If the volume is 0, nothing would trade. */
typedef struct lowlat_auction_indicative {
    int64_t price;
    uint64_t volume;
    int64_t imbalance; /* buy minus sell quantity at the price */
} lowlat_auction_indicative;

/* Counted since the engine was created or reset, except for current values, and for `growths`, which a reset keeps. New
 * fields are added at the end. */
typedef struct lowlat_counters {
    uint64_t commands;
    uint64_t trades;
    uint64_t live_orders;     /* resting and waiting now, over all symbols */
    uint64_t order_refusals;  /* commands rejected because the order pool was full */
    uint64_t trade_refusals;  /* the same for the trade tape */
    uint64_t trades_held;     /* records on the tape now */
    uint64_t trades_recycled; /* records overwritten */
    uint64_t growths;         /* times a pool grew */
    uint64_t index_rehashes;  /* times the id index changed its hash */
    uint64_t events_held;     /* events not drained yet */
} lowlat_counters;

/* -- settings --------------------------------------------------------------------------------------------------------
 */

/* generated: limits */

#ifndef LOWLAT_LIMITS
#define LOWLAT_LIMITS

/* Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits. */
#define LOWLAT_QUANTITY_MAX UINT32_C(4294967295)
/* Most slices of an iceberg. */
#define LOWLAT_SLICES_MAX UINT32_C(256)
/* Largest distance of a trailing stop in basis points, and how many of them make one. */
#define LOWLAT_BASIS_POINTS_MAX UINT32_C(10000)
/* Most resting and waiting orders an engine has room for. */
#define LOWLAT_ORDERS_MAX UINT32_C(1073741824)
/* Most records on the trade tape. */
#define LOWLAT_TRADES_MAX UINT64_C(4294967296)
/* Most symbols of an engine. */
#define LOWLAT_SYMBOLS_MAX UINT32_C(65536)

#endif
/* end of generated */

/* The rules of a plain symbol: tick 1, lot 1, all prices, first in, first out. */
#define LOWLAT_DEFAULT_RULES {1, 1, INT64_MIN, INT64_MAX, LOWLAT_ALGORITHM_FIFO, LOWLAT_TICK_ROUNDING_REJECT}

/* The settings of an engine. New fields of this struct and of lowlat_symbol_rules are added at the end, where zero
 * means the former behavior; `size` and `rules_size` tell the caller's version. A library accepts a newer caller if the
 * fields unknown to it are zero. */
typedef struct lowlat_engine_config {
    size_t size;       /* sizeof(lowlat_engine_config) */
    size_t rules_size; /* sizeof(lowlat_symbol_rules): from one element of `rules` to the next */
    const lowlat_symbol_rules* rules;
    uint32_t symbols;         /* elements of `rules`; symbols are named 0, 1, ... */
    uint32_t orders;          /* capacity for resting and waiting orders, over all symbols */
    uint64_t trades;          /* capacity of the trade tape in records */
    uint32_t when_orders_dry; /* LOWLAT_POOL_REJECT or _GROW */
    uint32_t when_trades_dry; /* lowlat_pool_policy */
} lowlat_engine_config;

/* -- functions -------------------------------------------------------------------------------------------------------
 */

/* What a call returns. New values are added at the end. */
typedef int32_t lowlat_status;
enum {
    LOWLAT_OK = 0,
    LOWLAT_NULL_ARGUMENT = 1, /* a required pointer is NULL */
    LOWLAT_MISALIGNED = 2,    /* an array does not start at a multiple of 8 bytes, or of 64: see Layouts */
    LOWLAT_UNKNOWN_SIZE = 3, /* `size` or `rules_size` fits no version of the struct, or an unknown field is not zero */
    LOWLAT_BAD_RULES = 4,    /* a symbol's rules: a field out of its range, or an empty band */
    LOWLAT_BAD_CONFIG = 5, /* `symbols`, `orders`, `trades`, `when_orders_dry` or `when_trades_dry` out of its range */
    LOWLAT_UNKNOWN_SYMBOL = 6, /* a query names an unknown symbol */
    LOWLAT_UNKNOWN_SIDE = 7,   /* a query names an invalid side */
    LOWLAT_OUT_OF_MEMORY = 8,
    LOWLAT_BUSY = 9,      /* another thread is using this engine, or has claimed it */
    LOWLAT_BROKEN = 10,   /* an earlier command ran out of memory; drain, then reset or destroy */
    LOWLAT_REENTERED = 11 /* a callback called into the engine that was calling it */
};

typedef struct lowlat_engine lowlat_engine;

/* A readable sentence for a status. Never NULL. */
LOWLAT_API const char* lowlat_message(lowlat_status status) LOWLAT_NOEXCEPT;

/* Create an engine with empty books and store it in *engine. Allocates all memory of its pools, touches it and, if
 * limits permit, locks it: about 200 bytes per resting order, 32 per trade. Do not request more than the host has: the
 * kernel may overcommit, and kill the process when the memory is touched. */
LOWLAT_API lowlat_status lowlat_create(const lowlat_engine_config* settings, lowlat_engine** engine) LOWLAT_NOEXCEPT;

/* Free an engine. NULL is allowed and does nothing. */
LOWLAT_API void lowlat_destroy(lowlat_engine* engine) LOWLAT_NOEXCEPT;

/* Let only the calling thread use the engine until it calls lowlat_release: calls by other threads return LOWLAT_BUSY.
 * Every call of this thread is then cheaper, because nothing has to be locked. Optional; claiming again does nothing.
 * A thread that ends without releasing its engine leaves it to nobody: only lowlat_destroy is then possible. */
LOWLAT_API lowlat_status lowlat_claim(lowlat_engine* engine) LOWLAT_NOEXCEPT;
/* End the claim of the calling thread; nothing if nobody has claimed the engine. */
LOWLAT_API lowlat_status lowlat_release(lowlat_engine* engine) LOWLAT_NOEXCEPT;

/* Gets one event, which is valid during the call. It must return: no longjmp, no exception. It may not use the engine
 * that is calling it, which returns LOWLAT_REENTERED, nor destroy it. */
typedef void (*lowlat_sink)(void* user, const lowlat_event* event);

/* Execute one command and pass each of its events to `sink`, in order, before returning; `user` is passed on unread.
 * Nothing is queued or copied, so lowlat_drain does not see these events. The cheapest way to execute one command at a
 * time.
 *
 * LOWLAT_OUT_OF_MEMORY: memory ran out during the command. Events that the sink has got of it are void, and every call
 * except lowlat_drain, lowlat_reset and lowlat_destroy returns LOWLAT_BROKEN. */
LOWLAT_API lowlat_status lowlat_execute(lowlat_engine* engine, const lowlat_command* command, lowlat_sink sink,
                                        void* user) LOWLAT_NOEXCEPT;
LOWLAT_API lowlat_status lowlat_execute_extended(lowlat_engine* engine, const lowlat_extended_command* command,
                                                 lowlat_sink sink, void* user) LOWLAT_NOEXCEPT;

/* Execute commands in order, and write their events directly into the caller's array, which starts at a multiple of 64
 * bytes. Stops after the command with which the array is full; *executed commands are done, *written events are in the
 * array. The cheapest way to execute a batch: later commands are prefetched while one executes.
 *
 * Nothing is lost if the array is too small: a command is always executed whole, events that no longer fit are queued,
 * and the next call writes them first. So call again, from commands + *executed, until all commands are done and
 * *written is less than `room`. Or take what is queued with lowlat_drain.
 *
 * LOWLAT_OUT_OF_MEMORY: as for lowlat_process, with *executed and *written set. */
LOWLAT_API lowlat_status lowlat_process_into(lowlat_engine* engine, const lowlat_command* commands, size_t count,
                                             lowlat_event* events, size_t room, size_t* executed,
                                             size_t* written) LOWLAT_NOEXCEPT;
LOWLAT_API lowlat_status lowlat_process_extended_into(lowlat_engine* engine, const lowlat_extended_command* commands,
                                                      size_t count, lowlat_event* events, size_t room, size_t* executed,
                                                      size_t* written) LOWLAT_NOEXCEPT;

/* Execute `count` commands in order; each emits at least one event. Events are queued after those not drained yet, in
 * memory that grows as needed: without draining it runs out. `commands` may be NULL if `count` is 0.
 *
 * LOWLAT_OUT_OF_MEMORY: memory ran out during a command. All commands before it are done and their events are queued;
 * it and those after it have no events, and every call except lowlat_drain, lowlat_reset and lowlat_destroy returns
 * LOWLAT_BROKEN. */
LOWLAT_API lowlat_status lowlat_process(lowlat_engine* engine, const lowlat_command* commands,
                                        size_t count) LOWLAT_NOEXCEPT;
LOWLAT_API lowlat_status lowlat_process_extended(lowlat_engine* engine, const lowlat_extended_command* commands,
                                                 size_t count) LOWLAT_NOEXCEPT;

/* Move the oldest queued events, at most `room`, into the caller's array; *drained is their number. The rest stay
 * queued. */
LOWLAT_API lowlat_status lowlat_drain(lowlat_engine* engine, lowlat_event* events, size_t room,
                                      size_t* drained) LOWLAT_NOEXCEPT;

/* Best bid and ask of a symbol. */
LOWLAT_API lowlat_status lowlat_get_top_of_book(lowlat_engine* engine, uint32_t symbol,
                                                lowlat_top_of_book* best) LOWLAT_NOEXCEPT;

/* The following functions write the first rows, at most `room`, into the caller's array; *count is how many were
 * written. `live_orders` of lowlat_get_counters is enough room for levels, orders and stops, `trades_held` for trades.
 * The array may be NULL if `room` is 0. */

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

/* Get the counters. `size`: sizeof(lowlat_counters). Counters of a newer library are left out; counters unknown to an
 * older library are zero. */
LOWLAT_API lowlat_status lowlat_get_counters(lowlat_engine* engine, lowlat_counters* counters,
                                             size_t size) LOWLAT_NOEXCEPT;

/* Empty every book, the tape and the counters, and drop the queued events; keep the memory. The next command is number
 * 0 again. */
LOWLAT_API lowlat_status lowlat_reset(lowlat_engine* engine) LOWLAT_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
