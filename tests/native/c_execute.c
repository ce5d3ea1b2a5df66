/* A program in C11 that executes commands one at a time, in place and in threads, as lowlat.h says one may, and as it
 * says one may not. It prints nothing and returns 0, or says which check does not hold. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "engine/native/c_api/lowlat.h"
#include "tests/native/c_checks.h"

/* What a sink has got. */
struct seen {
    lowlat_event events[4096];
    size_t count;
};

static void keep(void* user, const lowlat_event* event) {
    struct seen* seen = user;
    CHECK(seen->count < 4096);
    seen->events[seen->count++] = *event;
}

static void ignore(void* user, const lowlat_event* event) {
    (void)user;
    (void)event;
}

static void a_sink_gets_the_events_before_the_call_returns(void) {
    static struct seen seen;
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command batch[] = {limit(1, LOWLAT_SELL, 100, 5), limit(2, LOWLAT_SELL, 101, 7),
                                    limit(3, LOWLAT_BUY, 101, 6)};
    for (size_t at = 0; at < 3; ++at) OK(lowlat_execute(engine, &batch[at], &keep, &seen));
    CHECK(seen.count == 5);
    CHECK(seen.events[0].kind == LOWLAT_ACCEPTED && seen.events[0].order_id == 1 && seen.events[0].sequence == 0);
    CHECK(seen.events[2].kind == LOWLAT_ACCEPTED && seen.events[2].order_id == 3);
    CHECK(seen.events[3].kind == LOWLAT_TRADE && seen.events[3].maker_id == 1 && seen.events[3].quantity == 5);
    CHECK(seen.events[4].kind == LOWLAT_TRADE && seen.events[4].maker_id == 2 && seen.events[4].quantity == 1);
    CHECK(counters_of(engine).commands == 3 && counters_of(engine).events_held == 0);

    lowlat_extended_command stop = {0};
    stop.order_id = 4;
    stop.kind = LOWLAT_STOP;
    stop.side = LOWLAT_BUY;
    stop.trigger = 105;
    stop.quantity = 3;
    OK(lowlat_execute_extended(engine, &stop, &keep, &seen));
    CHECK(seen.count == 6 && seen.events[5].kind == LOWLAT_ACCEPTED && seen.events[5].command == LOWLAT_STOP);
    lowlat_destroy(engine);
}

static void a_command_may_have_any_number_of_events(void) {
    static struct seen seen;
    lowlat_engine_config settings = settings_of(&plain, 1);
    settings.orders = 4096;
    lowlat_engine* engine = NULL;
    OK(lowlat_create(&settings, &engine));
    for (int round = 0; round < 2; ++round) {
        for (uint64_t id = 1; id <= 3000; ++id) {
            const lowlat_command order = limit(id, LOWLAT_SELL, 100, 1);
            OK(lowlat_execute(engine, &order, &ignore, NULL));
        }
        const lowlat_command all = limit(9999, LOWLAT_BUY, 100, 3000);
        seen.count = 0;
        OK(lowlat_execute(engine, &all, &keep, &seen));
        CHECK(seen.count == 3001 && seen.events[0].kind == LOWLAT_ACCEPTED);
        for (size_t at = 1; at <= 3000; ++at)
            CHECK(seen.events[at].kind == LOWLAT_TRADE && seen.events[at].maker_id == at);
    }
    lowlat_destroy(engine);
}

/* -- misuse ----------------------------------------------------------------------------------------------------------
 */

struct reentry {
    lowlat_engine* engine;
    lowlat_engine* other;
    int calls;
};

static void call_back(void* user, const lowlat_event* event) {
    struct reentry* in = user;
    ++in->calls;
    const lowlat_command order = limit(2, LOWLAT_BUY, 7, 1);
    const lowlat_extended_command wide = {0};
    _Alignas(64) lowlat_event events[4];
    lowlat_top_of_book best;
    lowlat_counters counters;
    size_t count = 0;
    size_t written = 0;
    uint64_t released = 0;
    IS(LOWLAT_REENTERED, lowlat_execute(in->engine, &order, &call_back, in));
    IS(LOWLAT_REENTERED, lowlat_execute_extended(in->engine, &wide, &call_back, in));
    IS(LOWLAT_REENTERED, lowlat_process(in->engine, &order, 1));
    IS(LOWLAT_REENTERED, lowlat_process_extended(in->engine, &wide, 1));
    IS(LOWLAT_REENTERED, lowlat_process_into(in->engine, &order, 1, events, 4, &count, &written));
    IS(LOWLAT_REENTERED, lowlat_process_extended_into(in->engine, &wide, 1, events, 4, &count, &written));
    IS(LOWLAT_REENTERED, lowlat_drain(in->engine, events, 4, &count));
    IS(LOWLAT_REENTERED, lowlat_get_top_of_book(in->engine, 0, &best));
    IS(LOWLAT_REENTERED, lowlat_get_counters(in->engine, &counters, sizeof counters));
    IS(LOWLAT_REENTERED, lowlat_release_trades(in->engine, &released));
    IS(LOWLAT_REENTERED, lowlat_reset(in->engine));
    IS(LOWLAT_REENTERED, lowlat_claim(in->engine));
    IS(LOWLAT_REENTERED, lowlat_release(in->engine));
    CHECK(event->kind == LOWLAT_ACCEPTED && event->order_id == 1);
    OK(lowlat_execute(in->other, &order, &ignore, NULL));
}

static void a_sink_may_not_use_its_engine(void) {
    struct reentry in = {engine_of(&plain, 1), engine_of(&plain, 1), 0};
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    for (int claimed = 0; claimed < 2; ++claimed) {
        OK(lowlat_reset(in.engine));
        if (claimed != 0) OK(lowlat_claim(in.engine));
        OK(lowlat_execute(in.engine, &order, &call_back, &in));
        CHECK(in.calls == claimed + 1);
        CHECK(counters_of(in.engine).commands == 1 && counters_of(in.engine).live_orders == 1);
    }
    CHECK(counters_of(in.other).commands == 2);
    lowlat_destroy(in.engine);
    lowlat_destroy(in.other);
}

static void bad_arguments_are_refused(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    const lowlat_extended_command wide = {0};
    _Alignas(64) unsigned char bytes[256] = {0};
    const void* odd = bytes + 4;
    _Alignas(64) lowlat_event events[2];
    size_t executed = 7;
    size_t written = 7;

    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute(NULL, &order, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute(engine, NULL, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute(engine, &order, NULL, NULL));
    IS(LOWLAT_MISALIGNED, lowlat_execute(engine, odd, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute_extended(NULL, &wide, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute_extended(engine, NULL, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_execute_extended(engine, &wide, NULL, NULL));
    IS(LOWLAT_MISALIGNED, lowlat_execute_extended(engine, odd, &ignore, NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_into(NULL, &order, 1, events, 2, &executed, &written));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_into(engine, NULL, 1, events, 2, &executed, &written));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_into(engine, &order, 1, NULL, 2, &executed, &written));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_into(engine, &order, 1, events, 2, NULL, &written));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_process_into(engine, &order, 1, events, 2, &executed, NULL));
    IS(LOWLAT_MISALIGNED, lowlat_process_into(engine, odd, 1, events, 2, &executed, &written));
    lowlat_event* only_8 = (lowlat_event*)(void*)(bytes + 8);
    IS(LOWLAT_MISALIGNED, lowlat_process_into(engine, &order, 1, only_8, 2, &executed, &written));
    IS(LOWLAT_MISALIGNED, lowlat_process_extended_into(engine, &wide, 1, only_8, 2, &executed, &written));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_claim(NULL));
    IS(LOWLAT_NULL_ARGUMENT, lowlat_release(NULL));
    CHECK(executed == 7 && written == 7);
    CHECK(counters_of(engine).commands == 0);
    lowlat_destroy(engine);
}

/* -- in place --------------------------------------------------------------------------------------------------------
 */

static void events_that_do_not_fit_come_first_the_next_time(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    /* Three orders, one that takes them all (4 events), one more. */
    const lowlat_command batch[] = {limit(1, LOWLAT_SELL, 100, 1), limit(2, LOWLAT_SELL, 100, 1),
                                    limit(3, LOWLAT_SELL, 100, 1), limit(4, LOWLAT_BUY, 100, 3),
                                    limit(5, LOWLAT_BUY, 100, 1)};
    _Alignas(64) lowlat_event events[5];
    size_t executed = 0;
    size_t written = 0;
    OK(lowlat_process_into(engine, batch, 5, events, 5, &executed, &written));
    CHECK(executed == 4 && written == 5 && events[4].kind == LOWLAT_TRADE && events[4].maker_id == 1);
    CHECK(counters_of(engine).events_held == 2);

    /* Queued events alone fill this one: no command is executed. */
    OK(lowlat_process_into(engine, batch + 4, 1, events, 1, &executed, &written));
    CHECK(executed == 0 && written == 1 && events[0].maker_id == 2);
    OK(lowlat_process_into(engine, batch + 4, 1, NULL, 0, &executed, &written));
    CHECK(executed == 0 && written == 0);

    OK(lowlat_process_into(engine, batch + 4, 1, events, 5, &executed, &written));
    CHECK(executed == 1 && written == 2 && events[0].maker_id == 3 && events[1].order_id == 5);
    CHECK(events[1].sequence == 4 && counters_of(engine).events_held == 0);

    /* It and lowlat_process share the queue. */
    OK(lowlat_process(engine, batch, 1));
    OK(lowlat_process_into(engine, NULL, 0, events, 5, &executed, &written));
    CHECK(executed == 0 && written == 2 && events[0].sequence == 5);
    lowlat_destroy(engine);
}

/* -- threads ---------------------------------------------------------------------------------------------------------
 */

struct attempt {
    lowlat_engine* engine;
    lowlat_status executed;
    lowlat_status claimed;
    lowlat_status released;
    lowlat_status reset;
};

static void* try_all(void* user) {
    struct attempt* attempt = user;
    const lowlat_command order = limit(8, LOWLAT_BUY, 7, 1);
    attempt->released = lowlat_release(attempt->engine);
    attempt->executed = lowlat_execute(attempt->engine, &order, &ignore, NULL);
    attempt->reset = lowlat_reset(attempt->engine);
    attempt->claimed = lowlat_claim(attempt->engine);
    if (attempt->claimed == LOWLAT_OK) OK(lowlat_release(attempt->engine));
    return NULL;
}

static struct attempt in_another_thread(lowlat_engine* engine) {
    struct attempt attempt = {engine, LOWLAT_OK, LOWLAT_OK, LOWLAT_OK, LOWLAT_OK};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, &try_all, &attempt) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return attempt;
}

static void refused_to_another_thread(lowlat_engine* engine) {
    const struct attempt attempt = in_another_thread(engine);
    CHECK(attempt.executed == LOWLAT_BUSY && attempt.claimed == LOWLAT_BUSY);
    CHECK(attempt.released == LOWLAT_BUSY && attempt.reset == LOWLAT_BUSY);
}

static void during_the_call(void* user, const lowlat_event* event) {
    (void)event;
    refused_to_another_thread(user);
}

static void another_thread_is_refused_during_a_call_and_a_claim(void) {
    lowlat_engine* engine = engine_of(&plain, 1);
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    OK(lowlat_execute(engine, &order, &during_the_call, engine));

    OK(lowlat_claim(engine));
    OK(lowlat_claim(engine));
    refused_to_another_thread(engine);
    OK(lowlat_execute(engine, &order, &during_the_call, engine));
    CHECK(counters_of(engine).commands == 2);
    OK(lowlat_release(engine));
    OK(lowlat_release(engine));

    const struct attempt attempt = in_another_thread(engine);
    CHECK(attempt.executed == LOWLAT_OK && attempt.claimed == LOWLAT_OK);
    CHECK(attempt.released == LOWLAT_OK && attempt.reset == LOWLAT_OK);
    CHECK(counters_of(engine).commands == 0);
    lowlat_destroy(engine);
}

/* -- memory ----------------------------------------------------------------------------------------------------------
 */

enum { crowd = 100000 };

static lowlat_engine* engine_with_a_crowd(void) {
    lowlat_engine_config settings = settings_of(&plain, 1);
    settings.orders = crowd + 8;
    lowlat_engine* engine = NULL;
    OK(lowlat_create(&settings, &engine));
    for (uint64_t id = 1; id <= crowd; ++id) {
        const lowlat_command order = limit(id, LOWLAT_SELL, 100, 1);
        OK(lowlat_execute(engine, &order, &ignore, NULL));
    }
    return engine;
}

static void takes_nothing_but_a_reset(lowlat_engine* engine, struct seen* seen) {
    const lowlat_command order = limit(1, LOWLAT_BUY, 7, 1);
    _Alignas(64) lowlat_event events[2];
    size_t executed = 7;
    size_t written = 7;
    IS(LOWLAT_BROKEN, lowlat_execute(engine, &order, &keep, seen));
    IS(LOWLAT_BROKEN, lowlat_process(engine, &order, 1));
    IS(LOWLAT_BROKEN, lowlat_process_into(engine, &order, 1, events, 2, &executed, &written));
    CHECK(executed == 7 && written == 7);
    OK(lowlat_drain(engine, events, 2, &written));
    CHECK(written == 0);
    OK(lowlat_reset(engine));
    seen->count = 0;
    OK(lowlat_execute(engine, &order, &keep, seen));
    CHECK(seen->count == 1 && seen->events[0].sequence == 0);
}

/* Before any thread has been started, with whose end memory stays reserved. */
static void an_engine_without_memory_for_events_is_broken(void) {
    static struct seen seen;
    lowlat_engine* executing = engine_with_a_crowd();
    lowlat_engine* in_place = engine_with_a_crowd();
    const lowlat_command batch[] = {limit(crowd + 1, LOWLAT_BUY, 99, 1), limit(crowd + 2, LOWLAT_BUY, 100, crowd),
                                    limit(crowd + 3, LOWLAT_BUY, 99, 1)};
    allow_memory(UINT64_C(1) << 19);

    OK(lowlat_claim(executing));
    IS(LOWLAT_OUT_OF_MEMORY, lowlat_execute(executing, &batch[1], &keep, &seen));
    CHECK(seen.count == 0);
    takes_nothing_but_a_reset(executing, &seen);

    /* The commands before it are done, and their events are there. */
    static _Alignas(64) lowlat_event events[16];
    size_t executed = 0;
    size_t written = 0;
    IS(LOWLAT_OUT_OF_MEMORY, lowlat_process_into(in_place, batch, 3, events, 16, &executed, &written));
    CHECK(executed == 1 && written == 1 && events[0].order_id == crowd + 1);
    takes_nothing_but_a_reset(in_place, &seen);
    allow_all_memory();
    lowlat_destroy(executing);
    lowlat_destroy(in_place);
}

int main(void) {
    a_sink_gets_the_events_before_the_call_returns();
    a_command_may_have_any_number_of_events();
    a_sink_may_not_use_its_engine();
    bad_arguments_are_refused();
    events_that_do_not_fit_come_first_the_next_time();
    if (MEMORY_CAN_BE_LIMITED) an_engine_without_memory_for_events_is_broken();
    another_thread_is_refused_during_a_call_and_a_claim();
    return 0;
}
