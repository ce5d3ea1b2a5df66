// The measured passes over a command array: one without clocks, one with a stamp on each side of every command.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/native/hints.hpp"
#include "engine/native/matcher.hpp"
#include "engine/native/records.hpp"
#include "engine/native/sinks.hpp"
#include "probes/native/clock.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

/// What a command turned out to do: latencies are told apart by this.
enum class Operation : std::uint8_t { add, take, cancel, reduce, replace, reject };
inline constexpr std::size_t operations = 6;
inline constexpr std::array<const char*, operations> operation_names = {"add",    "take",    "cancel",
                                                                        "reduce", "replace", "reject"};

/// Latencies in nanoseconds by operation, and what the stamps themselves showed.
struct Latencies {
    std::array<Histogram, operations> of;
    std::uint64_t gap_max_ticks = 0;  // longest time from one stamp's end to the next: no latency is longer
};

/// Events go around this many records, which stay in cache: emitted whole, then overwritten.
inline constexpr std::uint64_t ring_events = 1024;

/// The name of what the last command did, from the last event it gave and whether it traded.
LOWLAT_INLINE Operation operation_of(Kind kind, EventKind last, bool traded) {
    if (unlikely(last == EventKind::rejected)) return Operation::reject;
    switch (kind) {
        case Kind::cancel:
            return Operation::cancel;
        case Kind::reduce:
            return Operation::reduce;
        case Kind::replace:
            return Operation::replace;
        default:
            return traded ? Operation::take : Operation::add;
    }
}

/// Every command once, as a batch: later commands are looked at ahead. No clock inside; the caller reads it around.
inline void run_plain(Matcher& matcher, const Command* commands, std::uint64_t count, RingSink& sink) {
    matcher.execute_all(commands, count, sink);
}

/// Every command once, alone, between two ordered reads of the counter: nothing of it was fetched before the first.
inline void run_stamped(Matcher& matcher, const Command* commands, std::uint64_t count, RingSink& sink,
                        const TickScale& ns, Latencies& latencies) {
    std::uint64_t last_end = ticks_end();
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t trades = matcher.trades();
        const std::uint64_t start = ticks_begin();
        matcher.execute(commands[at], sink);
        const std::uint64_t end = ticks_end();
        latencies.gap_max_ticks = std::max(latencies.gap_max_ticks, end - last_end);
        last_end = end;
        const Operation operation = operation_of(commands[at].kind, sink.last().kind, matcher.trades() != trades);
        latencies.of[static_cast<std::size_t>(operation)].record(ns(end - start));
    }
}

/// The same loop and stamps around nothing: what the clock itself costs here.
inline void run_empty(const Command* commands, std::uint64_t count, const TickScale& ns, Histogram& latencies) {
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t start = ticks_begin();
        asm volatile("" : : "r"(commands + at) : "memory");
        latencies.record(ns(ticks_end() - start));
    }
}

/// A sum over every command's bytes: the least that a loop over the same array can do.
inline std::uint64_t run_loop_only(const Command* commands, std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t at = 0; at < count; ++at) {
        sum += commands[at].order_id ^ static_cast<std::uint64_t>(commands[at].price);
        asm volatile("" : "+r"(sum));
    }
    return sum;
}

}  // namespace lowlat
