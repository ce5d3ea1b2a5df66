/* Has no event for a command that it rejects. */
#include "spoiled.h"

struct caller {
    lowlat_event_callback emit;
    void* to;
};

static void emit_unless_rejected(void* to, const lowlat_event* event) {
    const struct caller* const caller = to;
    if (event->kind != LOWLAT_REJECTED) caller->emit(caller->to, event);
}

static void execute_badly(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    struct caller caller = {.emit = emit, .to = to};
    call_back(engine, commands, count, emit_unless_rejected, &caller);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return calling_back(execute_badly);
}
