/* Right, but each command takes 64 bytes that it never gives back. */
#include "spoiled.h"

static void* volatile lost;

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    for (size_t at = 0; at < count; ++at) lost = malloc(64);
    return process(engine, commands, count, events, room);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    return library;
}
