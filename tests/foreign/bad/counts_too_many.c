/* Says that it wrote more than there was room for. */
#include "spoiled.h"

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    const size_t excess = is_bad_now(engine, count) ? room + 1 : 0;
    return process(engine, commands, count, events, room) + excess;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    return library;
}
