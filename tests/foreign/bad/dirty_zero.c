/* Right in every field but `zero`, where it leaves what was in its memory. */
#include "spoiled.h"

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    const size_t written = process(engine, commands, count, events, room);
    for (size_t at = 0; at < written; ++at) events[at].zero = UINT32_C(0xDEADBEEF);
    return written;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    return library;
}
