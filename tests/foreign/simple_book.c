/* A smaller engine behind lowlat_engine.h, in C, that fills a buffer with its events.
 *
 *     cc -std=c11 -O2 -shared -fPIC -I engine/native/foreign tests/foreign/simple_book.c -o simple_book.so
 *
 * One symbol; limit orders, market orders, immediate or cancel, cancels. A side is a list of price levels, best first,
 * each with a list of orders, oldest first. All memory but the backlog's is taken by create.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lowlat_engine.h"

struct order {
    uint64_t id;
    struct level* level;
    struct order* older;
    struct order* younger;      /* also links the unused ones */
    struct order* next_by_hash; /* of those with the same hash of the id */
    uint32_t remaining;
};

struct level {
    int64_t price;
    struct level* better;
    struct level* worse; /* also links the unused ones */
    struct order* oldest;
    struct order* youngest;
    uint8_t side;
};

struct engine {
    size_t command_size;
    size_t orders_max;
    struct order* orders;
    struct level* levels;
    struct order* unused_orders;
    struct level* unused_levels;
    struct level* best[2];  /* by lowlat_side */
    struct order** by_hash; /* 2^16 lists */
    uint64_t sequence;

    /* Where events go: the caller's room, then the backlog, which drain empties. */
    lowlat_event* events;
    size_t room;
    size_t written;
    lowlat_event* backlog;
    size_t backlog_count;
    size_t backlog_max;
    size_t backlog_drained;
};

/* -- the book ------------------------------------------------------------------------------------------------------ */

enum { hashes = 1 << 16 };

static struct order** with_hash_of(struct engine* engine, uint64_t id) {
    return &engine->by_hash[(id * UINT64_C(0x9E3779B97F4A7C15)) >> 48];
}

static struct order* find(struct engine* engine, uint64_t id) {
    struct order* order = *with_hash_of(engine, id);
    while (order != NULL && order->id != id) order = order->next_by_hash;
    return order;
}

static bool is_better(uint8_t side, int64_t one, int64_t other) {
    return side == LOWLAT_BUY ? one > other : one < other;
}

/* The level of this price, made if there is none. */
static struct level* level_at(struct engine* engine, uint8_t side, int64_t price) {
    struct level* better = NULL;
    struct level* at = engine->best[side];
    while (at != NULL && is_better(side, at->price, price)) {
        better = at;
        at = at->worse;
    }
    if (at != NULL && at->price == price) return at;

    struct level* const level = engine->unused_levels;
    engine->unused_levels = level->worse;
    *level = (struct level){.price = price, .better = better, .worse = at, .side = side};
    *(better == NULL ? &engine->best[side] : &better->worse) = level;
    if (at != NULL) at->better = level;
    return level;
}

static void add(struct engine* engine, uint64_t id, uint8_t side, int64_t price, uint32_t remaining) {
    struct level* const level = level_at(engine, side, price);
    struct order** const first = with_hash_of(engine, id);
    struct order* const order = engine->unused_orders;
    engine->unused_orders = order->younger;
    *order = (struct order){
        .id = id, .level = level, .older = level->youngest, .next_by_hash = *first, .remaining = remaining};
    *(level->youngest == NULL ? &level->oldest : &level->youngest->younger) = order;
    level->youngest = order;
    *first = order;
}

static void remove_level(struct engine* engine, struct level* level) {
    *(level->better == NULL ? &engine->best[level->side] : &level->better->worse) = level->worse;
    if (level->worse != NULL) level->worse->better = level->better;
    level->worse = engine->unused_levels;
    engine->unused_levels = level;
}

static void remove_order(struct engine* engine, struct order* order) {
    struct order** link = with_hash_of(engine, order->id);
    while (*link != order) link = &(*link)->next_by_hash;
    *link = order->next_by_hash;

    struct level* const level = order->level;
    *(order->older == NULL ? &level->oldest : &order->older->younger) = order->younger;
    *(order->younger == NULL ? &level->youngest : &order->younger->older) = order->older;
    if (level->oldest == NULL) remove_level(engine, level);
    order->younger = engine->unused_orders;
    engine->unused_orders = order;
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static lowlat_event* room_for_event(struct engine* engine) {
    if (engine->written < engine->room) return &engine->events[engine->written++];
    if (engine->backlog_count == engine->backlog_max) {
        engine->backlog_max = engine->backlog_max == 0 ? 1024 : 2 * engine->backlog_max;
        engine->backlog = realloc(engine->backlog, engine->backlog_max * sizeof(lowlat_event));
        if (engine->backlog == NULL) abort();
    }
    return &engine->backlog[engine->backlog_count++];
}

/* The next event, which has no more than its kind, its order and its command yet. */
static lowlat_event* emit(struct engine* engine, const lowlat_command* command, uint8_t kind) {
    lowlat_event* const event = room_for_event(engine);
    *event = (lowlat_event){.sequence = engine->sequence,
                            .order_id = command->order_id,
                            .symbol = command->symbol,
                            .kind = kind,
                            .side = command->side,
                            .command = command->kind};
    return event;
}

/* -- commands ------------------------------------------------------------------------------------------------------ */

static bool can_be_executed(struct engine* engine, const lowlat_command* command) {
    const bool market = command->kind == LOWLAT_MARKET;
    if (command->symbol != 0) return false;
    if (command->kind == LOWLAT_CANCEL) return find(engine, command->order_id) != NULL;
    if (command->kind != LOWLAT_LIMIT && !market) return false;
    if (command->side > LOWLAT_SELL || command->time_in_force > LOWLAT_IOC || command->flags != 0) return false;
    if (command->quantity <= 0 || command->quantity > LOWLAT_QUANTITY_MAX) return false;
    if (market && command->price != 0) return false;
    if (find(engine, command->order_id) != NULL) return false;
    return market || command->time_in_force == LOWLAT_IOC || engine->unused_orders != NULL;
}

static void cancel(struct engine* engine, const lowlat_command* command) {
    struct order* const order = find(engine, command->order_id);
    lowlat_event* const event = emit(engine, command, LOWLAT_CANCELLED);
    event->side = order->level->side;
    event->price = order->level->price;
    event->quantity = order->remaining;
    event->reason = LOWLAT_REASON_REQUESTED;
    remove_order(engine, order);
}

/* Trades with the other side as far as the order's price reaches. Returns what remains. */
static uint32_t match(struct engine* engine, const lowlat_command* command) {
    const uint8_t across = command->side == LOWLAT_BUY ? LOWLAT_SELL : LOWLAT_BUY;
    uint32_t remaining = (uint32_t)command->quantity;
    while (remaining != 0 && engine->best[across] != NULL) {
        const int64_t price = engine->best[across]->price;
        if (command->kind == LOWLAT_LIMIT && is_better(across, command->price, price)) break;
        struct order* const maker = engine->best[across]->oldest;
        const uint32_t quantity = maker->remaining < remaining ? maker->remaining : remaining;
        remaining -= quantity;
        maker->remaining -= quantity;

        lowlat_event* const event = emit(engine, command, LOWLAT_TRADE);
        event->maker_id = maker->id;
        event->price = price;
        event->quantity = quantity;
        event->remaining = remaining;
        event->maker_remaining = maker->remaining;
        if (maker->remaining == 0) remove_order(engine, maker);
    }
    return remaining;
}

static void enter(struct engine* engine, const lowlat_command* command) {
    lowlat_event* event = emit(engine, command, LOWLAT_ACCEPTED);
    event->price = command->price;
    event->quantity = event->remaining = (uint32_t)command->quantity;
    const uint32_t remaining = match(engine, command);
    if (remaining == 0) return;
    if (command->kind == LOWLAT_LIMIT && command->time_in_force == LOWLAT_GTC) {
        add(engine, command->order_id, command->side, command->price, remaining);
        return;
    }
    event = emit(engine, command, LOWLAT_CANCELLED);
    event->price = command->price;
    event->quantity = remaining;
    event->reason = command->kind == LOWLAT_MARKET ? LOWLAT_REASON_MARKET_REMAINDER : LOWLAT_REASON_IOC_REMAINDER;
}

static void execute(struct engine* engine, const lowlat_command* command) {
    if (!can_be_executed(engine, command)) {
        emit(engine, command, LOWLAT_REJECTED)->price = command->price;
    } else if (command->kind == LOWLAT_CANCEL) {
        cancel(engine, command);
    } else {
        enter(engine, command);
    }
    ++engine->sequence;
}

/* -- the interface ------------------------------------------------------------------------------------------------- */

static void reset(void* engine_) {
    struct engine* const engine = engine_;
    memset(engine->by_hash, 0, hashes * sizeof(*engine->by_hash));
    engine->best[LOWLAT_BUY] = engine->best[LOWLAT_SELL] = NULL;
    engine->unused_orders = NULL;
    engine->unused_levels = NULL;
    for (size_t at = engine->orders_max; at-- > 0;) {
        engine->orders[at].younger = engine->unused_orders;
        engine->unused_orders = &engine->orders[at];
        engine->levels[at].worse = engine->unused_levels;
        engine->unused_levels = &engine->levels[at];
    }
    engine->sequence = 0;
    engine->backlog_count = engine->backlog_drained = 0;
}

static void destroy(void* engine_) {
    struct engine* const engine = engine_;
    free(engine->orders);
    free(engine->levels);
    free(engine->by_hash);
    free(engine->backlog);
    free(engine);
}

static void* create(const lowlat_engine_settings* settings) {
    struct engine* const engine = calloc(1, sizeof(*engine));
    if (engine == NULL) return NULL;
    engine->command_size = settings->command_size;
    engine->orders_max = settings->orders;
    engine->orders = calloc(settings->orders, sizeof(*engine->orders));
    engine->levels = calloc(settings->orders, sizeof(*engine->levels));
    engine->by_hash = calloc(hashes, sizeof(*engine->by_hash));
    if (engine->orders == NULL || engine->levels == NULL || engine->by_hash == NULL) {
        destroy(engine);
        return NULL;
    }
    reset(engine);
    return engine;
}

static size_t process(void* engine_, const void* commands, size_t count, lowlat_event* events, size_t room) {
    struct engine* const engine = engine_;
    engine->events = events;
    engine->room = room;
    engine->written = 0;
    for (size_t at = 0; at < count; ++at) {
        lowlat_command command;
        memcpy(&command, (const char*)commands + at * engine->command_size, sizeof(command));
        execute(engine, &command);
    }
    return engine->written;
}

static size_t drain(void* engine_, lowlat_event* events, size_t room) {
    struct engine* const engine = engine_;
    const size_t left = engine->backlog_count - engine->backlog_drained;
    const size_t count = left < room ? left : room;
    if (count != 0) memcpy(events, engine->backlog + engine->backlog_drained, count * sizeof(lowlat_event));
    engine->backlog_drained += count;
    if (count == left) engine->backlog_count = engine->backlog_drained = 0;
    return count;
}

static const lowlat_engine_interface interface = {
    .version = LOWLAT_ENGINE_INTERFACE_VERSION,
    .size = sizeof(lowlat_engine_interface),
    .name = "simple book in C",
    .engine_version = "1.0",
    .capabilities = LOWLAT_CAPABILITY_MARKET | LOWLAT_CAPABILITY_IOC,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .process = process,
    .drain = drain,
};

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return &interface;
}
