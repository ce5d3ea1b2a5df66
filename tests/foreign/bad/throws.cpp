// Lets a C++ exception out of its 100th command.
#include <stdexcept>

#define lowlat_get_engine_interface simple_book
#include "../simple_book.cpp"
#undef lowlat_get_engine_interface

namespace {

std::uint64_t executed = 0;

void execute_badly(void* engine, const void* commands, std::size_t count, lowlat_event_callback emit, void* to) {
    executed += count;
    if (executed > 100) throw std::runtime_error("no such order");
    execute(engine, commands, count, emit, to);
}

}  // namespace

extern "C" LOWLAT_ENGINE_EXPORT const lowlat_engine_interface* lowlat_get_engine_interface() {
    static lowlat_engine_interface changed = *simple_book();
    changed.execute = execute_badly;
    return &changed;
}
