// A batch of commands with prefetching for those to come, and without.
#pragma once

#include <cstdint>

namespace lowlat {

/// Execute every command once. `with`: while one executes, the memory that later ones will touch is prefetched.
template <typename Engine, typename Record, typename Sink>
void run_ablated_batch(Engine& engine, const Record* commands, std::uint64_t count, Sink& sink, bool with) {
    if (with)
        engine.execute_all(commands, count, sink);
    else
        for (std::uint64_t at = 0; at < count; ++at) engine.execute(commands[at], sink);
}

}  // namespace lowlat
