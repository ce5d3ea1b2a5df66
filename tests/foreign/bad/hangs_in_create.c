/* Waits for memory that never comes. */
#include "spoiled.h"

static volatile int forever = 1;

static void* wait(const lowlat_engine_settings* settings) {
    while (forever) continue;
    return create(settings);
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->create = wait;
    return library;
}
