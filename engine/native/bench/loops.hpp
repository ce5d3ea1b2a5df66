// The measured passes over a command array: batched and one at a time, both without a clock; timed, with timestamps
// around every command; at intended start times; in batches with a journal. All but the last take any engine with
// execute, execute_all and trades, and any sink with count, last and for_each_since.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/bench/latencies.hpp"
#include "engine/native/bench/on_cpu_counter.hpp"
#include "engine/native/bench/open_loop.hpp"
#include "engine/native/bench/timestamps.hpp"
#include "engine/native/journal/writer.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/sinks.hpp"
#include "probes/native/clock.hpp"
#include "probes/native/runqueue_wait.hpp"
#include "reports/native/histogram.hpp"

namespace lowlat {

/// Execute every command once, as a batch: later commands are prefetched. No clock inside; the caller reads it around.
template <typename Engine, typename Record, typename Sink>
void run_batched(Engine& engine, const Record* commands, std::uint64_t count, Sink& sink) {
    engine.execute_all(commands, count, sink);
}

/// Execute one command as for a client that has no other, and read its events. Not inlined: the call is part of the
/// cost, and no work is shared between two commands.
template <typename Engine, typename Record, typename Sink>
[[gnu::noinline]] void execute_one(Engine& engine, const Record& command, Sink& sink) {
    const std::uint64_t first = sink.count();
    engine.execute(command, sink);
    std::uint64_t read = 0;
    sink.for_each_since(first, [&](const Event& event) {
        read += event.order_id + static_cast<std::uint64_t>(event.price) + event.quantity +
                static_cast<std::uint64_t>(event.kind);
    });
    asm volatile("" : : "r"(read) : "memory");
}

/// Execute every command once, one at a time: nothing is prefetched, and the events of a command are read before the
/// next. No clock inside.
template <typename Engine, typename Record, typename Sink>
void run_one_at_a_time(Engine& engine, const Record* commands, std::uint64_t count, Sink& sink) {
    for (std::uint64_t at = 0; at < count; ++at) execute_one(engine, commands[at], sink);
}

/// Execute every command once, alone, between two ordered reads of the counter. Nothing is prefetched before the first.
template <typename Engine, typename Record, typename Sink>
void run_timed(Engine& engine, const Record* commands, std::uint64_t count, Sink& sink, const TickScale& ns,
               Latencies& latencies) {
    Recording service = latencies.recording(Measure::service);
    std::uint64_t last_end = ticks_end();
    service.start(last_end);
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t trades = engine.trades();
        const std::uint64_t start = ticks_begin();
        engine.execute(commands[at], sink);
        const std::uint64_t end = ticks_end();
        latencies.gap_max_ticks = std::max(latencies.gap_max_ticks, end - last_end);
        last_end = end;
        const Operation operation = operation_of(commands[at].kind, sink.last().kind, engine.trades() != trades);
        service.record(operation, {.ns = ns(end - start), .end_ticks = end});
    }
    service.finish(last_end);
}

/// Execute every command at its intended start time, in ticks from the start, or as soon as the previous one has ended.
/// Returns the clock at the start; `timestamps` has the rest. Only a measure that is logged is recorded meanwhile.
template <typename Clock, typename Engine, typename Record, typename Sink>
std::uint64_t run_paced(Clock& clock, Engine& engine, const Record* commands, const std::uint64_t* planned,
                        std::uint64_t count, Sink& sink, const TickScale& ns, Timestamps& timestamps,
                        Latencies& latencies) {
    Recording response = latencies.recording(Measure::response);
    const bool live = response.is_logged();
    std::uint64_t trades = 0;
    const std::uint64_t begin = clock.now();
    response.start(begin);
    run_open(
        clock, begin, planned, count,
        [&](std::uint64_t at) {
            trades = engine.trades();
            engine.execute(commands[at], sink);
        },
        [&](std::uint64_t at, const Timing& timing) {
            const Operation operation = operation_of(commands[at].kind, sink.last().kind, engine.trades() != trades);
            timestamps.keep(at, timing, operation);
            if (unlikely(live)) response.record(operation, {.ns = ns(timing.response()), .end_ticks = timing.end});
        });
    response.finish(clock.now());
    latencies.gap_max_ticks = clock.gap_max_ticks();
    return begin;
}

/// The same with a clock that stands still while other programs have the thread's CPU.
template <typename Engine, typename Record, typename Sink>
std::uint64_t run_paced_on_cpu(Engine& engine, const Record* commands, const std::uint64_t* planned,
                               std::uint64_t count, Sink& sink, const TickScale& ns, Timestamps& timestamps,
                               Latencies& latencies) {
    const RunqueueWait waits;
    CounterClock clock(OnCpuCounter(ProcessorCounter{}, waits, ns));
    const std::uint64_t begin = run_paced(clock, engine, commands, planned, count, sink, ns, timestamps, latencies);
    latencies.waited_ns = clock.counter().stood_still_ns();
    return begin;
}

/// The same loop without an engine, always behind: its own cost. `live`: with the record of a logged measure.
inline void run_paced_nothing(const std::uint64_t* planned, std::uint64_t count, Timestamps& timestamps, bool live,
                              const TickScale& ns, Latencies& latencies) {
    Recording response = latencies.recording(Measure::response);
    CounterClock clock;
    run_open(
        clock, clock.now(), planned, count,
        [](std::uint64_t at) {
            asm volatile("" : : "r"(at) : "memory");
        },
        [&](std::uint64_t at, const Timing& timing) {
            timestamps.keep(at, timing, Operation::add);
            if (unlikely(live)) response.record(Operation::add, {.ns = ns(timing.response()), .end_ticks = timing.end});
        });
}

/// Execute every command once, in batches; each batch is journaled, if there is a journal, before it is executed. Ends
/// between two batches when the time is up. Returns the number of executed commands.
template <typename Record>
std::uint64_t run_batches(Matcher& matcher, const Record* commands, std::uint64_t count, std::uint64_t batch,
                          JournalWriter* journal, std::uint64_t limit_ticks, RingSink& sink) {
    const std::uint64_t begin = ticks_begin();
    std::uint64_t done = 0;
    while (done < count && ticks_begin() - begin < limit_ticks) {
        const std::uint64_t size = std::min(batch, count - done);
        if (journal != nullptr) journal->append(commands + done, size);
        matcher.execute_all(commands + done, size, sink);
        done += size;
    }
    return done;
}

/// The same loop with back-to-back timestamps: the timer overhead.
template <typename Record>
void run_empty(const Record* commands, std::uint64_t count, const TickScale& ns, Histogram& latencies) {
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::uint64_t start = ticks_begin();
        asm volatile("" : : "r"(commands + at) : "memory");
        latencies.record(ns(ticks_end() - start));
    }
}

/// A sum over every command's bytes: a lower bound for any loop over the same array.
template <typename Record>
std::uint64_t run_loop_only(const Record* commands, std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t at = 0; at < count; ++at) {
        sum += commands[at].order_id ^ static_cast<std::uint64_t>(commands[at].price);
        asm volatile("" : "+r"(sum));
    }
    return sum;
}

}  // namespace lowlat
