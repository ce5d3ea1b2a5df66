/* Right one command at a time; in a batch the events of its first two commands are in the wrong order. */
#include "spoiled.h"

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    const size_t written = process(engine, commands, count, events, room);
    for (size_t at = 1; at < written; ++at) {
        if (events[at].sequence == events[at - 1].sequence) continue;
        const lowlat_event first = events[at - 1];
        events[at - 1] = events[at];
        events[at] = first;
        break;
    }
    return written;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    return library;
}
