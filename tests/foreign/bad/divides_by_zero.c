/* Divides by zero, and raises the signal itself where the processor lets it pass. */
#include <signal.h>

#include "spoiled.h"

static volatile int zero = 0;

static int divide_by_zero(void) {
    const int quotient = 1 / zero;
    raise(SIGFPE);
    return quotient;
}

static void execute_badly(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    if (is_bad_now(engine, count)) divide_by_zero();
    call_back(engine, commands, count, emit, to);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return calling_back(execute_badly);
}
