/* What the programs in C that test liblowlat share. Needs _POSIX_C_SOURCE. */
#ifndef LOWLAT_C_CHECKS_H
#define LOWLAT_C_CHECKS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/native/c_api/lowlat.h"

static inline void check_at(const char* file, int line, int holds, const char* rule) {
    if (holds) return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, rule);
    exit(1);
}
#define CHECK(condition) check_at(__FILE__, __LINE__, (condition), #condition)
#define IS(status, call) check_at(__FILE__, __LINE__, (call) == (status), #call " is " #status)
#define OK(call) IS(LOWLAT_OK, call)

static const lowlat_symbol_rules plain = LOWLAT_DEFAULT_RULES;

static inline lowlat_engine_config settings_of(const lowlat_symbol_rules* rules, uint32_t symbols) {
    lowlat_engine_config settings = {0};
    settings.size = sizeof settings;
    settings.rules_size = sizeof *rules;
    settings.rules = rules;
    settings.symbols = symbols;
    settings.orders = 64;
    settings.trades = 64;
    settings.when_trades_dry = LOWLAT_POOL_RECYCLE;
    return settings;
}

static inline lowlat_engine* engine_of(const lowlat_symbol_rules* rules, uint32_t symbols) {
    const lowlat_engine_config settings = settings_of(rules, symbols);
    lowlat_engine* engine = NULL;
    OK(lowlat_create(&settings, &engine));
    return engine;
}

static inline lowlat_command limit(uint64_t id, uint8_t side, int64_t price, int64_t quantity) {
    lowlat_command command = {0};
    command.order_id = id;
    command.price = price;
    command.quantity = quantity;
    command.kind = LOWLAT_LIMIT;
    command.side = side;
    return command;
}

static inline lowlat_event next_event(lowlat_engine* engine) {
    lowlat_event event;
    size_t drained = 0;
    OK(lowlat_drain(engine, &event, 1, &drained));
    CHECK(drained == 1);
    return event;
}

static inline lowlat_counters counters_of(lowlat_engine* engine) {
    lowlat_counters counters;
    OK(lowlat_get_counters(engine, &counters, sizeof counters));
    return counters;
}

static inline uint64_t mapped_bytes(void) {
    unsigned long pages = 0;
    FILE* statm = fopen("/proc/self/statm", "r");
    CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Sanitizers reserve more address space than any limit here. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_CAN_BE_LIMITED 0
#else
#define MEMORY_CAN_BE_LIMITED 1
#endif

/* From now on the process gets at most this many bytes more, or again all that it could. */
static inline void allow_memory(uint64_t more) {
    struct rlimit allowed;
    CHECK(getrlimit(RLIMIT_AS, &allowed) == 0);
    allowed.rlim_cur = mapped_bytes() + more;
    CHECK(setrlimit(RLIMIT_AS, &allowed) == 0);
}
static inline void allow_all_memory(void) {
    struct rlimit allowed;
    CHECK(getrlimit(RLIMIT_AS, &allowed) == 0);
    allowed.rlim_cur = allowed.rlim_max;
    CHECK(setrlimit(RLIMIT_AS, &allowed) == 0);
}

#endif
