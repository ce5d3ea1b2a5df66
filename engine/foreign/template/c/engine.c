/* A tiny engine behind lowlat_engine.h: put yours in its place.
 * SPDX-License-Identifier: MIT-0
 *
 * One symbol, price then time: limit orders that rest or are immediate or cancel, market orders, cancels, reduces. A
 * side is a list of price levels, best first, and a level a list of orders, oldest first. create takes all memory.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lowlat_engine.h"

/* -- lists: rings of links, with one link that belongs to the list itself ------------------------------------------ */

struct link {
    struct link *before, *after;
};

static void clear(struct link* list) {
    list->before = list->after = list;
}

static void put_before(struct link* at, struct link* added) {
    *added = (struct link){.before = at->before, .after = at};
    at->before = at->before->after = added;
}

static void* take(struct link* link) {
    link->before->after = link->after;
    link->after->before = link->before;
    return link;
}

/* -- the book ------------------------------------------------------------------------------------------------------ */

struct level {
    struct link link; /* first, so that a link is its level */
    struct link orders;
    int64_t price;
    uint8_t side;
};

struct order {
    struct link link;
    struct order* next_by_hash;
    struct level* level;
    uint64_t id;
    uint32_t remaining;
};

enum { hash_bits = 16 };

struct engine {
    struct link sides[2]; /* by lowlat_side */
    struct link unused_orders, unused_levels;
    struct order* by_hash[1 << hash_bits];
    size_t command_size, orders_max;
    uint64_t sequence, trades;
    lowlat_command command; /* under way */
    lowlat_event_callback emit;
    void* to;
    struct level* levels;
    struct order orders[];
};

static struct order** bucket_of(struct engine* engine, uint64_t id) {
    return &engine->by_hash[(id * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - hash_bits)];
}

static struct order* find(struct engine* engine, uint64_t id) {
    struct order* order = *bucket_of(engine, id);
    while (order != NULL && order->id != id) order = order->next_by_hash;
    return order;
}

static bool is_better(uint8_t side, int64_t one, int64_t other) {
    return side == LOWLAT_BUY ? one > other : one < other;
}

static struct level* level_at(struct engine* engine, uint8_t side, int64_t price) {
    struct link* at = engine->sides[side].after;
    while (at != &engine->sides[side] && is_better(side, ((struct level*)at)->price, price)) at = at->after;
    if (at != &engine->sides[side] && ((struct level*)at)->price == price) return (struct level*)at;
    struct level* const level = take(engine->unused_levels.after);
    level->price = price;
    level->side = side;
    clear(&level->orders);
    put_before(at, &level->link);
    return level;
}

static void rest(struct engine* engine, uint32_t remaining) {
    struct order* const order = take(engine->unused_orders.after);
    struct order** const bucket = bucket_of(engine, engine->command.order_id);
    order->id = engine->command.order_id;
    order->remaining = remaining;
    order->level = level_at(engine, engine->command.side, engine->command.price);
    order->next_by_hash = *bucket;
    *bucket = order;
    put_before(&order->level->orders, &order->link);
}

static void take_out(struct engine* engine, struct order* order) {
    struct order** at = bucket_of(engine, order->id);
    while (*at != order) at = &(*at)->next_by_hash;
    *at = order->next_by_hash;
    put_before(engine->unused_orders.after, take(&order->link));
    struct level* const level = order->level;
    if (level->orders.after == &level->orders) put_before(engine->unused_levels.after, take(&level->link));
}

/* -- commands ------------------------------------------------------------------------------------------------------ */

/* What each kind of event says, field by field, is in lowlat's matching contract under "Events". */
static lowlat_event event(const struct engine* engine, uint8_t kind, uint32_t quantity, uint32_t remaining) {
    const lowlat_command* const command = &engine->command;
    return (lowlat_event){.sequence = engine->sequence,
                          .order_id = command->order_id,
                          .price = command->price,
                          .quantity = quantity,
                          .remaining = remaining,
                          .symbol = command->symbol,
                          .kind = kind,
                          .side = command->side,
                          .command = command->kind};
}

static void report(const struct engine* engine, lowlat_event event) {
    engine->emit(engine->to, &event);
}

static void report_of_resting(const struct engine* engine, const struct order* order, lowlat_event event) {
    event.side = order->level->side;
    event.price = order->level->price;
    report(engine, event);
}

static bool can_be_executed(struct engine* engine) {
    const lowlat_command* const command = &engine->command;
    const struct order* const known = find(engine, command->order_id);
    if (command->symbol != 0) return false;
    if (command->kind == LOWLAT_CANCEL) return known != NULL;
    if (command->quantity <= 0 || command->quantity > LOWLAT_QUANTITY_MAX) return false;
    if (command->kind == LOWLAT_REDUCE) return known != NULL && command->quantity <= known->remaining;
    if (known != NULL || command->side > LOWLAT_SELL || command->time_in_force > LOWLAT_IOC) return false;
    if (command->flags != 0) return false;
    if (command->kind == LOWLAT_MARKET) return command->price == 0;
    if (command->kind != LOWLAT_LIMIT) return false;
    return command->time_in_force == LOWLAT_IOC || engine->unused_orders.after != &engine->unused_orders;
}

static void cancel(struct engine* engine, struct order* order) {
    lowlat_event canceled = event(engine, LOWLAT_CANCELLED, order->remaining, 0);
    canceled.reason = LOWLAT_REASON_REQUESTED;
    report_of_resting(engine, order, canceled);
    take_out(engine, order);
}

static void reduce(struct engine* engine, struct order* order) {
    const uint32_t quantity = (uint32_t)engine->command.quantity;
    order->remaining -= quantity;
    report_of_resting(engine, order, event(engine, LOWLAT_REDUCED, quantity, order->remaining));
    if (order->remaining == 0) take_out(engine, order);
}

/* Trades with the other side as far as the order's price reaches. Returns what remains. */
static uint32_t match(struct engine* engine) {
    const uint8_t across = engine->command.side == LOWLAT_BUY ? LOWLAT_SELL : LOWLAT_BUY;
    uint32_t remaining = (uint32_t)engine->command.quantity;
    while (remaining != 0 && engine->sides[across].after != &engine->sides[across]) {
        const struct level* const best = (struct level*)engine->sides[across].after;
        const bool limited = engine->command.kind == LOWLAT_LIMIT;
        if (limited && is_better(across, engine->command.price, best->price)) break;
        struct order* const maker = (struct order*)best->orders.after;
        const uint32_t quantity = maker->remaining < remaining ? maker->remaining : remaining;
        remaining -= quantity;
        maker->remaining -= quantity;

        lowlat_event trade = event(engine, LOWLAT_TRADE, quantity, remaining);
        trade.price = best->price;
        trade.maker_id = maker->id;
        trade.maker_remaining = maker->remaining;
        trade.trade_id = ++engine->trades;
        report(engine, trade);
        if (maker->remaining == 0) take_out(engine, maker);
    }
    return remaining;
}

static void enter(struct engine* engine) {
    const bool market = engine->command.kind == LOWLAT_MARKET;
    const uint32_t quantity = (uint32_t)engine->command.quantity;
    report(engine, event(engine, LOWLAT_ACCEPTED, quantity, quantity));
    const uint32_t remaining = match(engine);
    if (remaining == 0) return;
    if (!market && engine->command.time_in_force == LOWLAT_GTC) {
        rest(engine, remaining);
        return;
    }
    lowlat_event canceled = event(engine, LOWLAT_CANCELLED, remaining, 0);
    canceled.reason = market ? LOWLAT_REASON_MARKET_REMAINDER : LOWLAT_REASON_IOC_REMAINDER;
    report(engine, canceled);
}

/* -- the interface ------------------------------------------------------------------------------------------------- */

static void execute(void* engine_, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    struct engine* const engine = engine_;
    engine->emit = emit;
    engine->to = to;
    for (const char* at = commands; count != 0; --count, at += engine->command_size) {
        memcpy(&engine->command, at, sizeof(engine->command));
        if (!can_be_executed(engine)) {
            report(engine, event(engine, LOWLAT_REJECTED, 0, 0));
        } else if (engine->command.kind == LOWLAT_CANCEL) {
            cancel(engine, find(engine, engine->command.order_id));
        } else if (engine->command.kind == LOWLAT_REDUCE) {
            reduce(engine, find(engine, engine->command.order_id));
        } else {
            enter(engine);
        }
        ++engine->sequence;
    }
}

static void reset(void* engine_) {
    struct engine* const engine = engine_;
    clear(&engine->sides[LOWLAT_BUY]);
    clear(&engine->sides[LOWLAT_SELL]);
    clear(&engine->unused_orders);
    clear(&engine->unused_levels);
    for (size_t at = 0; at < engine->orders_max; ++at) {
        put_before(&engine->unused_orders, &engine->orders[at].link);
        put_before(&engine->unused_levels, &engine->levels[at].link);
    }
    memset(engine->by_hash, 0, sizeof(engine->by_hash));
    engine->sequence = engine->trades = 0;
}

static void* create(const lowlat_engine_settings* settings) {
    const size_t orders = settings->orders;
    struct engine* const engine = calloc(1, sizeof(*engine) + orders * (sizeof(struct order) + sizeof(struct level)));
    if (engine == NULL) return NULL;
    engine->command_size = settings->command_size;
    engine->orders_max = orders;
    engine->levels = (struct level*)&engine->orders[orders]; /* at most one for each order */
    reset(engine);
    return engine;
}

/* process and drain, which are NULL, are for an engine that fills a buffer. */
static const lowlat_engine_interface interface = {
    .version = LOWLAT_ENGINE_INTERFACE_VERSION,
    .size = sizeof(lowlat_engine_interface),
    .name = "tiny",
    .engine_version = "0.1",
    .capabilities =
        LOWLAT_CAPABILITY_MARKET | LOWLAT_CAPABILITY_IOC | LOWLAT_CAPABILITY_REDUCE | LOWLAT_CAPABILITY_TRADE_IDS,
    .create = create,
    .destroy = free,
    .reset = reset,
    .execute = execute,
};

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return &interface;
}
