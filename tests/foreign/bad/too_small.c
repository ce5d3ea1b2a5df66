/* Its struct ends before the last function. */
#include "spoiled.h"

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    lowlat_engine_interface* const library = right_engine();
    library->size = offsetof(lowlat_engine_interface, drain);
    return library;
}
