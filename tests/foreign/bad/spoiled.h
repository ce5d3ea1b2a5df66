/* The right engine of simple_book.c, for a bad library to spoil: it changes one thing of what `right_engine` gives. */
#ifndef SPOILED_H
#define SPOILED_H

#include "lowlat_engine.h"

#define lowlat_get_engine_interface simple_book_in_c
#include "../simple_book.c"
#undef lowlat_get_engine_interface

/* Command of this number is where a bad library shows it: one that is right for long is harder to see through. */
enum { bad_command = 100 };

/* Whether it is among the next `count` commands. */
static inline bool is_bad_now(const void* engine, size_t count) {
    const uint64_t next = ((const struct engine*)engine)->sequence;
    return next <= bad_command && bad_command < next + count;
}

/* The right engine's `process`, for a library that calls back. */
static inline void call_back(void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) {
    lowlat_event events[64];
    size_t written = process(engine, commands, count, events, 64);
    while (written != 0) {
        for (size_t at = 0; at < written; ++at) emit(to, &events[at]);
        written = drain(engine, events, 64);
    }
}

/* The right interface, to be changed. */
static inline lowlat_engine_interface* right_engine(void) {
    static lowlat_engine_interface changed;
    changed = *simple_book_in_c();
    return &changed;
}

/* The same, made to call back. */
static inline lowlat_engine_interface* calling_back(void (*execute_)(void*, const void*, size_t, lowlat_event_callback,
                                                                     void*)) {
    lowlat_engine_interface* const changed = right_engine();
    changed->execute = execute_;
    return changed;
}

#endif
