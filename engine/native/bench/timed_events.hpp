// The measured pass over the events of a feed: each is applied alone, between two ordered reads of the counter.
#pragma once

#include <cstdint>
#include <span>

#include "engine/native/feed/book_builder.hpp"
#include "engine/native/feed/records.hpp"
#include "engine/native/platform/untrusted.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

/// Apply one event as for a feed that has no other. Not inlined: the call is part of the cost, and no work is shared
/// between two events.
[[gnu::noinline]] inline EventFault apply_alone(BookBuilder& builder, const OrderEvent& event) {
    return builder.apply(event);
}

/// Apply events up to the first that has a fault, and note the ticks that each took; nothing is prefetched. Returns how
/// many were applied.
inline std::uint64_t apply_timed(BookBuilder& builder, std::span<const OrderEvent> events, std::uint64_t* ticks) {
    for (std::uint64_t at = 0; at < events.size(); ++at) {
        OrderEvent event;
        copy_untrusted(&event, &events[at], 1);
        const std::uint64_t start = ticks_begin();
        const EventFault fault = apply_alone(builder, event);
        ticks[at] = ticks_end() - start;
        if (fault != EventFault::none) return at;
    }
    return events.size();
}

}  // namespace lowlat
