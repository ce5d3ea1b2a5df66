// The other end of a RingProcess that does nothing: it accepts each command with one event. What it costs is what the
// rings cost.
#pragma once

#include <cstdint>

#include "engine/native/external/ring_process.hpp"

namespace lowlat {

/// Answers until the ring of commands is closed and empty. `wait_on`: asked now and then whether to.
template <typename Record, typename WaitOn>
void echo_rings(const RingPair& rings, WaitOn wait_on) {
    SpscRing<Record> from(rings.commands, rings.commands_capacity);
    SpscRing<Event> to(rings.events, rings.events_capacity);
    Backoff backoff(WaitStrategy::yield);
    std::uint64_t sequence = 0;
    while (!from.finished()) {
        const auto commands = from.peek(rings.events_capacity);
        const auto room = to.reserve(commands.size());
        for (std::size_t at = 0; at < room.size(); ++at) {
            room[at] = Event{};
            room[at].sequence = sequence++;
            room[at].order_id = commands[at].order_id;
            room[at].kind = ExecType::accepted;
            room[at].command = commands[at].kind;
            room[at].zero = last_of_command;
        }
        if (!room.empty()) {
            to.commit(room.size());
            from.release(room.size());
            backoff.progress();
        } else if (backoff.pause() && backoff.time_to_look() && !wait_on()) {
            return;
        }
    }
}

}  // namespace lowlat
