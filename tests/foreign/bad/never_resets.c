/* Goes on where it was after a reset: its books are not empty, and its commands are numbered on. */
#include "spoiled.h"

static void reset_badly(void* engine) {
    (void)engine;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->reset = reset_badly;
    return library;
}
