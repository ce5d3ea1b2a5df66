/* Has the function, which gives nothing. */
#include "lowlat_engine.h"

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return NULL;
}
