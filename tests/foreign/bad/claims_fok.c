/* Says that it takes fill or kill, and takes it for immediate or cancel. */
#include "spoiled.h"

static size_t process_badly(void* engine, const void* commands, size_t count, lowlat_event* events, size_t room) {
    size_t written = 0;
    const size_t size = ((const struct engine*)engine)->command_size;
    for (size_t at = 0; at < count; ++at) {
        lowlat_command command;
        memcpy(&command, (const char*)commands + at * size, sizeof(command));
        if (command.time_in_force == LOWLAT_FOK) command.time_in_force = LOWLAT_IOC;
        written += process(engine, &command, 1, events + written, room - written);
    }
    return written;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->process = process_badly;
    library->capabilities |= LOWLAT_CAPABILITY_FOK;
    return library;
}
