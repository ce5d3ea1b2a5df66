/* Writes to an address of nobody. */
#include "spoiled.h"

static int* volatile nowhere = NULL;

static void execute_badly(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    if (is_bad_now(engine, count)) *nowhere = 1;
    call_back(engine, commands, count, emit, to);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return calling_back(execute_badly);
}
