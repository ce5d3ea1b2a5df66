/* Hangs while it is loaded. */
#include "spoiled.h"

static volatile int forever = 1;

__attribute__((constructor)) static void wait(void) {
    while (forever) continue;
}

const lowlat_engine_interface* lowlat_get_engine_interface(void) {
    return right_engine();
}
