/* Calls back with the same event again and again. */
#include "spoiled.h"

static volatile int forever = 1;

static void repeat(lowlat_event_callback emit, void* to) {
    const lowlat_event event = {.sequence = bad_command, .kind = LOWLAT_ACCEPTED, .command = LOWLAT_LIMIT};
    while (forever) emit(to, &event);
}

static void execute_badly(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    if (is_bad_now(engine, count)) repeat(emit, to);
    call_back(engine, commands, count, emit, to);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return calling_back(execute_badly);
}
