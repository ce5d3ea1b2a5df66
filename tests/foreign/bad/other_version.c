/* Built with the header of a version to come. */
#include "spoiled.h"

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->version = LOWLAT_ENGINE_INTERFACE_VERSION + 1;
    return library;
}
