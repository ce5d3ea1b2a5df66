/* Takes the room for one event more than it is. */
#include "spoiled.h"

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    if (is_bad_now(engine, count)) events[room] = (lowlat_event){.sequence = bad_command, .kind = LOWLAT_ACCEPTED};
    return process(engine, commands, count, events, room);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    return library;
}
