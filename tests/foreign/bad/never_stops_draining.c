/* Fills whatever room it is given, as long as it is asked. */
#include "spoiled.h"

static size_t fill(void* engine, lowlat_event* events, size_t room) {
    (void)engine;
    for (size_t at = 0; at < room; ++at) {
        events[at] = (lowlat_event){.sequence = bad_command, .kind = LOWLAT_ACCEPTED, .command = LOWLAT_LIMIT};
    }
    return room;
}

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    return is_bad_now(engine, count) ? fill(engine, events, room) : process(engine, commands, count, events, room);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    library->drain = fill;
    return library;
}
