/* Calls itself until the stack ends. */
#include "spoiled.h"

static volatile size_t depth = 0;

static size_t descend(void) {
    volatile char frame[4096];
    frame[0] = (char)++depth;
    return depth == SIZE_MAX ? 0 : descend() + (size_t)frame[0];
}

static void execute_badly(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    if (is_bad_now(engine, count)) descend();
    call_back(engine, commands, count, emit, to);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return calling_back(execute_badly);
}
