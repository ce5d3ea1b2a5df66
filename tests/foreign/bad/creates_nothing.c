/* Never has the memory for an engine. */
#include "spoiled.h"

static void* create_nothing(const lowlat_engine_settings* settings) {
    (void)settings;
    return NULL;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->create = create_nothing;
    return library;
}
