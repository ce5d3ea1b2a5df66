/* Our own engine, by its C interface, as one of somebody else's: the only one here that has every capability. */
#include <stdlib.h>

#include "lowlat.h"
#include "lowlat_engine.h"

struct engine {
    lowlat_engine* lowlat;
    size_t command_size;
};

static void* create(const lowlat_engine_settings* settings) {
    struct engine* const engine = malloc(sizeof(*engine));
    if (engine == NULL) return NULL;
    const lowlat_engine_config config = {.size = sizeof(config),
                                         .rules_size = sizeof(lowlat_symbol_rules),
                                         .rules = settings->rules,
                                         .symbols = settings->symbols,
                                         .orders = settings->orders,
                                         .trades = 1,
                                         .when_orders_dry = LOWLAT_POOL_REJECT,
                                         .when_trades_dry = LOWLAT_POOL_RECYCLE};
    engine->command_size = settings->command_size;
    if (lowlat_create(&config, &engine->lowlat) == LOWLAT_OK) return engine;
    free(engine);
    return NULL;
}

static void destroy(void* engine_) {
    struct engine* const engine = engine_;
    lowlat_destroy(engine->lowlat);
    free(engine);
}

static void reset(void* engine) {
    if (lowlat_reset(((struct engine*)engine)->lowlat) != LOWLAT_OK) abort();
}

static size_t drain(void* engine, lowlat_event* events, size_t room) {
    size_t drained = 0;
    if (lowlat_drain(((struct engine*)engine)->lowlat, events, room, &drained) != LOWLAT_OK) abort();
    return drained;
}

static size_t process(void* engine_, const void* commands, size_t count, lowlat_event* events, size_t room) {
    struct engine* const engine = engine_;
    const lowlat_status status = engine->command_size == sizeof(lowlat_command)
                                     ? lowlat_process(engine->lowlat, commands, count)
                                     : lowlat_process_extended(engine->lowlat, commands, count);
    if (status != LOWLAT_OK) abort();
    return drain(engine, events, room);
}

static const lowlat_engine_interface interface = {
    .version = LOWLAT_ENGINE_INTERFACE_VERSION,
    .size = sizeof(lowlat_engine_interface),
    .name = "lowlat by its C interface",
    .engine_version = "1.0",
    .capabilities = 2 * LOWLAT_CAPABILITY_TRADE_IDS - 1,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .process = process,
    .drain = drain,
};

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return &interface;
}
