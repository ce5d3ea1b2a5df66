/* Frees its engine twice. */
#include "spoiled.h"

static int* volatile nowhere = NULL;

static void destroy_badly(void* engine) {
    destroy(engine);
    *nowhere = 1;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->destroy = destroy_badly;
    return library;
}
