/* A program in C11 that uses liblowlat as lowlat.h says one may, and as it says one may not. It prints nothing and
 * returns 0, or says which check does not hold. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/native/c_api/lowlat.h"
#include "tests/native/c_checks.h"

static void a_trade_is_told_and_the_book_shows_what_is_left(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command batch[] = {limit(1, LOWLAT_SELL, 100, 5), limit(2, LOWLAT_SELL, 101, 7),
                                    limit(3, LOWLAT_BUY, 100, 2), limit(4, LOWLAT_BUY, 99, 1)};
    OK(lowlat_process(engine, batch, 4));

    lowlat_event events[8];
    size_t count = 0;
    OK(lowlat_drain(engine, events, 8, &count));
    CHECK(count == 5);
    CHECK(events[2].kind == LOWLAT_ACCEPTED && events[2].order_id == 3 && events[2].sequence == 2);
    const lowlat_event* trade = &events[3];
    CHECK(trade->kind == LOWLAT_TRADE && trade->order_id == 3 && trade->maker_id == 1 && trade->price == 100);
    CHECK(trade->quantity == 2 && trade->remaining == 0 && trade->maker_remaining == 3 && trade->trade_id == 1);
    CHECK(trade->side == LOWLAT_BUY && trade->command == LOWLAT_LIMIT && trade->reason == LOWLAT_REASON_NONE);
    CHECK(events[4].kind == LOWLAT_ACCEPTED && events[4].order_id == 4);

    lowlat_top_of_book best;
    OK(lowlat_get_top_of_book(engine, 0, &best));
    CHECK(best.bid == 99 && best.bid_quantity == 1 && best.ask == 100 && best.ask_quantity == 3);

    lowlat_level levels[2];
    OK(lowlat_get_depth(engine, 0, LOWLAT_SELL, levels, 2, &count));
    CHECK(count == 2 && levels[0].price == 100 && levels[0].quantity == 3 && levels[0].order_count == 1);
    CHECK(levels[1].price == 101 && levels[1].quantity == 7);
    OK(lowlat_get_depth(engine, 0, LOWLAT_SELL, levels, 1, &count));
    CHECK(count == 1);

    lowlat_order orders[4];
    OK(lowlat_get_orders(engine, 0, orders, 4, &count));
    CHECK(count == 3 && orders[0].order_id == 4 && orders[0].side == LOWLAT_BUY && orders[1].order_id == 1);
    CHECK(orders[1].quantity == 3 && orders[2].order_id == 2);
    OK(lowlat_get_orders(engine, 0, orders, 2, &count));
    CHECK(count == 2);
    OK(lowlat_get_orders(engine, 0, NULL, 0, &count));
    CHECK(count == 0);

    lowlat_trade trades[2];
    OK(lowlat_get_trades(engine, trades, 2, &count));
    CHECK(count == 1 && trades[0].maker_id == 1 && trades[0].taker_id == 3 && trades[0].price == 100);
    CHECK(trades[0].quantity == 2);
    uint64_t released = 0;
    OK(lowlat_release_trades(engine, &released));
    CHECK(released == 1);

    const lowlat_counters counters = counters_of(engine);
    CHECK(counters.commands == 4 && counters.trades == 1 && counters.live_orders == 3 && counters.trades_held == 0);
    lowlat_destroy(engine);
}

static void events_wait_until_there_is_room(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command unknown = {.order_id = 9, .kind = LOWLAT_CANCEL};
    uint64_t sent = 0;
    uint64_t seen = 0;
    /* More come than go, past every growth of the room they are held in; then they go. */
    while (sent < 20000 || seen < sent) {
        for (int n = 0; sent < 20000 && n < 7; ++n, ++sent) OK(lowlat_process(engine, &unknown, 1));
        lowlat_event events[3];
        size_t drained = 0;
        OK(lowlat_drain(engine, events, 3, &drained));
        for (size_t n = 0; n < drained; ++n, ++seen) CHECK(events[n].sequence == seen);
        CHECK(counters_of(engine).events_held == sent - seen);
    }
    size_t drained = 7;
    OK(lowlat_drain(engine, NULL, 0, &drained));
    CHECK(drained == 0);
    lowlat_destroy(engine);
}

static void wide_commands_bring_terms(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    lowlat_extended_command iceberg = {0};
    iceberg.order_id = 1;
    iceberg.kind = LOWLAT_LIMIT;
    iceberg.side = LOWLAT_SELL;
    iceberg.price = 100;
    iceberg.quantity = 10;
    iceberg.display_quantity = 4;
    lowlat_extended_command stop = {0};
    stop.order_id = 2;
    stop.kind = LOWLAT_STOP_LIMIT;
    stop.side = LOWLAT_BUY;
    stop.price = 105;
    stop.trigger = 104;
    stop.quantity = 3;
    const lowlat_extended_command batch[] = {iceberg, stop};
    OK(lowlat_process_extended(engine, batch, 2));
    CHECK(next_event(engine).kind == LOWLAT_ACCEPTED);
    CHECK(next_event(engine).kind == LOWLAT_ACCEPTED);

    size_t count = 0;
    lowlat_order order;
    OK(lowlat_get_orders(engine, 0, &order, 1, &count));
    CHECK(count == 1 && order.quantity == 4 && order.reserve_quantity == 6);
    lowlat_stop waiting;
    OK(lowlat_get_stops(engine, 0, &waiting, 1, &count));
    CHECK(count == 1 && waiting.order_id == 2 && waiting.trigger == 104 && waiting.price == 105);
    CHECK(waiting.kind == LOWLAT_STOP_LIMIT && waiting.side == LOWLAT_BUY && waiting.quantity == 3);
    lowlat_destroy(engine);
}

static void an_auction_is_seen_beforehand(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    lowlat_auction_indicative indicative;
    OK(lowlat_get_auction_indicative(engine, 0, &indicative));
    CHECK(indicative.volume == 0);
    const lowlat_command call = {.kind = LOWLAT_PHASE, .quantity = LOWLAT_PHASE_CALL};
    const lowlat_command batch[] = {call, limit(1, LOWLAT_BUY, 102, 5), limit(2, LOWLAT_SELL, 102, 3)};
    OK(lowlat_process(engine, batch, 3));
    OK(lowlat_get_auction_indicative(engine, 0, &indicative));
    CHECK(indicative.price == 102 && indicative.volume == 3 && indicative.imbalance == 2);
    lowlat_destroy(engine);
}

static void rules_are_a_symbols_own(void) {
    lowlat_symbol_rules rules[2] = {LOWLAT_DEFAULT_RULES, LOWLAT_DEFAULT_RULES};
    rules[1].tick = 5;
    lowlat_engine* engine = engine_of(rules, 2);
    lowlat_command off_tick = limit(1, LOWLAT_BUY, 7, 1);
    OK(lowlat_process(engine, &off_tick, 1));
    CHECK(next_event(engine).kind == LOWLAT_ACCEPTED);
    off_tick.symbol = 1;
    OK(lowlat_process(engine, &off_tick, 1));
    const lowlat_event event = next_event(engine);
    CHECK(event.kind == LOWLAT_REJECTED && event.reason == LOWLAT_REASON_PRICE_OFF_TICK && event.symbol == 1);
    lowlat_destroy(engine);
}

static void a_reset_engine_is_a_new_one(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    OK(lowlat_process(engine, &order, 1));
    OK(lowlat_reset(engine));
    CHECK(counters_of(engine).events_held == 0 && counters_of(engine).live_orders == 0);
    OK(lowlat_process(engine, &order, 1));
    const lowlat_event event = next_event(engine);
    CHECK(event.kind == LOWLAT_ACCEPTED && event.sequence == 0);
    lowlat_destroy(engine);
}

static void bad_settings_are_refused(void) {
    const lowlat_engine_config good = settings_of(&plain, 1);
    lowlat_engine* engine = NULL;
    IS(LOWLAT_NULL_ARGUMENT, lowlat_create(NULL, &engine));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_create(&good, NULL));
#define REFUSED(status, change)                   \
    do {                                          \
        lowlat_engine_config bad = good;          \
        bad.change;                               \
        IS(status, lowlat_create(&bad, &engine)); \
    } while (0)
    REFUSED(LOWLAT_NULL_ARGUMENT, rules = NULL);
    REFUSED(LOWLAT_UNKNOWN_SIZE, size = 0);
    REFUSED(LOWLAT_UNKNOWN_SIZE, size -= 1);
    REFUSED(LOWLAT_UNKNOWN_SIZE, rules_size = sizeof(lowlat_symbol_rules) - 1);
    REFUSED(LOWLAT_BAD_CONFIG, symbols = 0);
    REFUSED(LOWLAT_BAD_CONFIG, symbols = LOWLAT_SYMBOLS_MAX + 1);
    REFUSED(LOWLAT_BAD_CONFIG, orders = 0);
    REFUSED(LOWLAT_BAD_CONFIG, orders = LOWLAT_ORDERS_MAX + 1);
    REFUSED(LOWLAT_BAD_CONFIG, trades = 0);
    REFUSED(LOWLAT_BAD_CONFIG, trades = LOWLAT_TRADES_MAX + 1);
    REFUSED(LOWLAT_BAD_CONFIG, when_orders_dry = LOWLAT_POOL_RECYCLE);
    REFUSED(LOWLAT_BAD_CONFIG, when_trades_dry = 3);
#define RULES_REFUSED(change)                          \
    do {                                               \
        lowlat_symbol_rules bad_rules = plain;         \
        bad_rules.change;                              \
        REFUSED(LOWLAT_BAD_RULES, rules = &bad_rules); \
    } while (0)
    RULES_REFUSED(tick = 0);
    RULES_REFUSED(lot = 0);
    RULES_REFUSED(lot = (int64_t)LOWLAT_QUANTITY_MAX + 1);
    RULES_REFUSED(price_min = 1; bad_rules.price_max = 0);
    RULES_REFUSED(algorithm = 2);
    RULES_REFUSED(off_tick = -1);
    CHECK(engine == NULL);
}

/* What a caller of a later version would pass. */
struct later_settings {
    lowlat_engine_config known;
    uint64_t more;
};
struct later_rules {
    lowlat_symbol_rules known;
    uint64_t more;
};

static void a_later_caller_is_understood_if_it_asks_for_nothing_new(void) {
    struct later_rules rules[2] = {{LOWLAT_DEFAULT_RULES, 0}, {LOWLAT_DEFAULT_RULES, 0}};
    rules[1].known.tick = 5;
    struct later_settings settings = {settings_of(&rules[0].known, 2), 0};
    settings.known.size = sizeof settings;
    settings.known.rules_size = sizeof rules[0];
    lowlat_engine* engine = NULL;
    settings.more = 1;
    IS(LOWLAT_UNKNOWN_SIZE, lowlat_create(&settings.known, &engine));
    settings.more = 0;
    rules[1].more = 1;
    IS(LOWLAT_UNKNOWN_SIZE, lowlat_create(&settings.known, &engine));
    rules[1].more = 0;
    OK(lowlat_create(&settings.known, &engine));
    lowlat_command off_tick = limit(1, LOWLAT_BUY, 7, 1);
    off_tick.symbol = 1;
    OK(lowlat_process(engine, &off_tick, 1));
    CHECK(next_event(engine).reason == LOWLAT_REASON_PRICE_OFF_TICK);

    struct {
        lowlat_counters known;
        uint64_t more;
    } later;
    memset(&later, 0xFF, sizeof later);
    OK(lowlat_get_counters(engine, &later.known, sizeof later));
    CHECK(later.known.commands == 1 && later.more == 0);
    memset(&later, 0xFF, sizeof later);
    OK(lowlat_get_counters(engine, &later.known, 2 * sizeof(uint64_t)));
    CHECK(later.known.commands == 1 && later.known.trades == 0 && later.known.live_orders == UINT64_MAX);
    lowlat_destroy(engine);
}

static void bad_arguments_are_refused(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    const lowlat_extended_command wide = {0};
    _Alignas(8) unsigned char bytes[128] = {0};
    const void* odd = bytes + 4;
    lowlat_event event;
    lowlat_level level;
    lowlat_top_of_book best;
    lowlat_auction_indicative indicative;
    lowlat_counters counters;
    size_t count = 0;
    uint64_t released = 0;

    IS(LOWLAT_NULL_ARGUMENT, lowlat_process(NULL, &order, 1));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process(engine, NULL, 1));
    IS(LOWLAT_MISALIGNED, lowlat_process(engine, odd, 1));
    OK(lowlat_process(engine, NULL, 0));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_extended(NULL, &wide, 1));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_extended(engine, NULL, 1));
    IS(LOWLAT_MISALIGNED, lowlat_process_extended(engine, odd, 1));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_drain(NULL, &event, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_drain(engine, NULL, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_drain(engine, &event, 1, NULL));
    IS(LOWLAT_MISALIGNED, lowlat_drain(engine, (lowlat_event*)(void*)(bytes + 4), 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_top_of_book(NULL, 0, &best));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_top_of_book(engine, 0, NULL));
    IS(LOWLAT_UNKNOWN_SYMBOL, lowlat_get_top_of_book(engine, 1, &best));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_depth(NULL, 0, LOWLAT_BUY, &level, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_depth(engine, 0, LOWLAT_BUY, NULL, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_depth(engine, 0, LOWLAT_BUY, &level, 1, NULL));
    IS(LOWLAT_UNKNOWN_SYMBOL, lowlat_get_depth(engine, 1, LOWLAT_BUY, &level, 1, &count));
    IS(LOWLAT_UNKNOWN_SIDE, lowlat_get_depth(engine, 0, 2, &level, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_orders(engine, 0, NULL, 1, &count));
    IS(LOWLAT_UNKNOWN_SYMBOL, lowlat_get_orders(engine, 1, NULL, 0, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_stops(engine, 0, NULL, 1, &count));
    IS(LOWLAT_UNKNOWN_SYMBOL, lowlat_get_stops(engine, 1, NULL, 0, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_trades(engine, NULL, 1, &count));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_release_trades(NULL, &released));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_release_trades(engine, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_auction_indicative(engine, 0, NULL));
    IS(LOWLAT_UNKNOWN_SYMBOL, lowlat_get_auction_indicative(engine, 1, &indicative));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_get_counters(engine, NULL, sizeof counters));
    IS(LOWLAT_UNKNOWN_SIZE, lowlat_get_counters(engine, &counters, 9));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_reset(NULL));
    lowlat_destroy(NULL);
    CHECK(counters_of(engine).commands == 0);
    lowlat_destroy(engine);
}

static void every_status_has_a_message_of_its_own(void) {
    for (lowlat_status one = LOWLAT_OK; one <= LOWLAT_REENTERED; ++one) {
        CHECK(strlen(lowlat_message(one)) > 0);
        for (lowlat_status other = -1; other < one; ++other)
            CHECK(strcmp(lowlat_message(one), lowlat_message(other)) != 0);
    }
    CHECK(strcmp(lowlat_message(LOWLAT_REENTERED + 1), lowlat_message(-1)) == 0);
}

static void without_memory_the_engine_says_so_and_loses_no_event(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    allow_memory(UINT64_C(64) << 20);

    lowlat_engine_config large = settings_of(&plain, 1);
    large.orders = LOWLAT_ORDERS_MAX;
    lowlat_engine* none = NULL;
    IS(LOWLAT_OUT_OF_MEMORY, lowlat_create(&large, &none));
    CHECK(none == NULL);

    /* Fifteen orders, and one that takes them all: 31 events. Room is a power of two of them, so that it ends inside.
     */
    lowlat_command batch[16];
    for (uint64_t id = 0; id < 15; ++id) batch[id] = limit(id, LOWLAT_SELL, 100, 1);
    batch[15] = limit(15, LOWLAT_BUY, 100, 15);
    lowlat_status status = LOWLAT_OK;
    while (status == LOWLAT_OK) status = lowlat_process(engine, batch, 16);
    CHECK(status == LOWLAT_OUT_OF_MEMORY);
    lowlat_counters counters;
    IS(LOWLAT_BROKEN, lowlat_process(engine, batch, 1));
    IS(LOWLAT_BROKEN, lowlat_get_counters(engine, &counters, sizeof counters));

    uint64_t sequence = 0;
    uint64_t events_of_it = 0;
    size_t drained = 1;
    while (drained != 0) {
        lowlat_event events[256];
        OK(lowlat_drain(engine, events, 256, &drained));
        for (size_t n = 0; n < drained; ++n) {
            CHECK(events[n].sequence == sequence);
            if (++events_of_it < (sequence % 16 == 15 ? 16 : 1)) continue;
            events_of_it = 0;
            ++sequence;
        }
    }
    CHECK(sequence > 16 && events_of_it == 0);
    IS(LOWLAT_BROKEN, lowlat_process(engine, batch, 1));

    OK(lowlat_reset(engine));
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    OK(lowlat_process(engine, &order, 1));
    CHECK(next_event(engine).kind == LOWLAT_ACCEPTED);
    lowlat_destroy(engine);
    allow_all_memory();
}

int main(void) {
    a_trade_is_told_and_the_book_shows_what_is_left();
    events_wait_until_there_is_room();
    wide_commands_bring_terms();
    an_auction_is_seen_beforehand();
    rules_are_a_symbols_own();
    a_reset_engine_is_a_new_one();
    bad_settings_are_refused();
    a_later_caller_is_understood_if_it_asks_for_nothing_new();
    bad_arguments_are_refused();
    every_status_has_a_message_of_its_own();
    if (MEMORY_CAN_BE_LIMITED) without_memory_the_engine_says_so_and_loses_no_event();
    return 0;
}
