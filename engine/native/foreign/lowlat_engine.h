/* The interface of an engine that lowlat measures and verifies: implement it, build a shared library, and run
 *
 *     lowlat bench --engine ./libmine.so
 *
 * C11 or C++11; this file needs no other. See docs/matching.md for what an engine does with each command, and which
 * events follow. The library exports one function, lowlat_get_engine_interface.
 *
 * Contract. Commands are numbered from 0 since lowlat_engine_interface.create or .reset; `sequence` of an event is the
 * number of its command. Each command has at least one event. Fields called `zero` are written as zero. A command that
 * cannot be executed has one event, LOWLAT_REJECTED, and changes nothing.
 *
 * Capabilities. Every engine takes limit orders that are good till canceled, and cancels. lowlat sends the rest only to
 * an engine that says it takes it.
 *
 * Ownership. Settings, commands and the room for events belong to lowlat, and only for the time of a call.
 *
 * Threads. All calls come from one thread. The library may have threads of its own.
 *
 * Errors. An engine that cannot go on ends its process (abort): lowlat runs it in a process of its own, and says so.
 * No C++ exception may leave a function.
 */
#ifndef LOWLAT_ENGINE_H
#define LOWLAT_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It changes when an engine must; fields may come at the end of a struct without. */
#define LOWLAT_ENGINE_INTERFACE_VERSION 1

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

/* -- limits ----------------------------------------------------------------------------------------------------------
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

/* -- the engine ------------------------------------------------------------------------------------------------------
 */

/* generated: capabilities */

/* What an engine takes beside limit orders that are good till canceled and their cancellation, and what of its
 * events is compared. */
enum lowlat_capability {
    LOWLAT_CAPABILITY_MARKET = 1,           /* Market orders. */
    LOWLAT_CAPABILITY_IOC = 2,              /* Immediate or cancel. */
    LOWLAT_CAPABILITY_FOK = 4,              /* Fill or kill. */
    LOWLAT_CAPABILITY_REDUCE = 8,           /* LOWLAT_REDUCE. */
    LOWLAT_CAPABILITY_REPLACE = 16,         /* LOWLAT_REPLACE. */
    LOWLAT_CAPABILITY_POST_ONLY = 32,       /* LOWLAT_POST_ONLY. */
    LOWLAT_CAPABILITY_PRICE_SLIDE = 64,     /* LOWLAT_PRICE_SLIDE. */
    LOWLAT_CAPABILITY_STOPS = 128,          /* LOWLAT_STOP and LOWLAT_STOP_LIMIT. */
    LOWLAT_CAPABILITY_TRAILING_STOPS = 256, /* LOWLAT_TRAILING_STOP. */
    LOWLAT_CAPABILITY_ICEBERGS = 512,       /* A display quantity. */
    LOWLAT_CAPABILITY_ALL_OR_NONE = 1024,   /* LOWLAT_ALL_OR_NONE. */
    LOWLAT_CAPABILITY_EXPIRY = 2048,        /* Day and good-till-date orders, and LOWLAT_ADVANCE_TIME. */
    LOWLAT_CAPABILITY_PHASES = 4096,        /* LOWLAT_PHASE: auctions and halts. */
    LOWLAT_CAPABILITY_SELF_TRADE = 8192,    /* Self-trade prevention. */
    LOWLAT_CAPABILITY_PRO_RATA = 16384,     /* LOWLAT_ALGORITHM_PRO_RATA. */
    LOWLAT_CAPABILITY_RULES = 32768,        /* Ticks, lots and price bands other than those of a plain symbol. */
    LOWLAT_CAPABILITY_SYMBOLS = 65536,      /* More than one symbol. */
    LOWLAT_CAPABILITY_REASONS = 131072,     /* Its lowlat_event.reason is compared: otherwise any will do. */
    LOWLAT_CAPABILITY_TRADE_IDS = 262144    /* Its lowlat_event.trade_id is compared: otherwise any will do. */
};
/* end of generated */

/* What an engine is made for. */
typedef struct lowlat_engine_settings {
    size_t size;                      /* sizeof(lowlat_engine_settings): new fields come at the end */
    size_t command_size;              /* sizeof(lowlat_command) or, where a command needs it, of an extended one */
    const lowlat_symbol_rules* rules; /* of each symbol */
    uint32_t symbols;                 /* elements of `rules`; symbols are named 0, 1, ... */
    uint32_t orders;                  /* at most so many orders rest or wait at a time, over all symbols */
} lowlat_engine_settings;

/* Takes one event. `event` is read before it returns. `to` is what execute was given. */
typedef void (*lowlat_event_callback)(void* to, const lowlat_event* event);

/* What the library's engines are, and their functions. `execute` is for an engine that hands each event to a callback,
 * `process` and `drain` for one that fills a buffer; the others are NULL. An engine that has both is called by
 * `execute`. */
typedef struct lowlat_engine_interface {
    uint32_t version;           /* LOWLAT_ENGINE_INTERFACE_VERSION */
    uint32_t size;              /* sizeof(lowlat_engine_interface) */
    const char* name;           /* of the engine, in UTF-8 */
    const char* engine_version; /* of the engine, in UTF-8 */
    uint64_t capabilities;      /* bits of lowlat_capability */

    /* An engine with empty books, or NULL. It has its memory before the first command. */
    void* (*create)(const lowlat_engine_settings* settings);
    void (*destroy)(void* engine);
    /* Empties the books and keeps the memory. The next command is number 0 again. */
    void (*reset)(void* engine);

    /* Executes `count` commands in order, `command_size` bytes from one to the next, and calls `emit` with `to` for
     * each event, in order. `count` is 1 where lowlat measures one command at a time. */
    void (*execute)(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to);

    /* The same, but writes the first events, at most `room`, to `events`, and returns how many it wrote. If they are
     * `room`, lowlat calls `drain` for the rest until that returns fewer than its `room`. */
    size_t (*process)(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room);
    size_t (*drain)(void* engine, lowlat_event* events, size_t room);
} lowlat_engine_interface;

#if defined(__GNUC__)
#define LOWLAT_ENGINE_EXPORT __attribute__((visibility("default")))
#else
#define LOWLAT_ENGINE_EXPORT
#endif

/* What lowlat looks for in the library. The interface stays valid while the library is loaded. */
LOWLAT_ENGINE_EXPORT const lowlat_engine_interface* lowlat_get_engine_interface(void);

#ifdef __cplusplus
}
#endif

#endif
