/* Fills a buffer, and has no way to hand out what it could not hold. */
#include "spoiled.h"

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->drain = NULL;
    return library;
}
