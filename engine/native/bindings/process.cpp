#include "engine/native/bindings/process.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include "engine/native/bindings/event_memory.hpp"
#include "engine/native/bindings/price_grid.hpp"
#include "engine/native/bindings/py_array.hpp"
#include "engine/native/matching/copied_batch.hpp"
#include "engine/native/matching/growing_sink.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Up to this many commands, events are collected in memory that the next batch reuses.
constexpr std::uint64_t small_batch = 1024;

/// How often a long batch looks for signals, which takes the GIL for a moment. It reads the clock once in
/// clock_commands, a multiple of its blocks.
constexpr std::chrono::milliseconds signals_interval{50};
constexpr std::uint64_t clock_commands = 1024;

/// The most events of simple commands: each is accepted or rejected, may end as cancelled, and may trade with an order
/// that it does not fill; all other trades fill an order that rests before or comes with the commands. Where orders
/// with attributes emit more, the sink grows inside a command.
std::uint64_t most_events(const Matcher& matcher, std::uint64_t commands) {
    return 4 * commands + matcher.live_orders();
}

/// Run the handlers of pending signals, in the main thread, under the GIL. Throws what they raise.
void handle_signals() {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

template <typename Record>
void execute_blocks(OwnedMatcher& matcher, std::span<const Record> commands, GrowingSink& sink) {
    CopiedBatch<Record> batch(matcher, commands.data(), commands.size());
    static_assert(clock_commands % batch.block_commands == 0);
    std::chrono::steady_clock::time_point looked;
    if (commands.size() >= clock_commands) looked = std::chrono::steady_clock::now();
    while (batch.left() != 0) {
        sink.reserve(most_events(matcher, std::min(batch.block_commands, batch.left())));
        execute_whole(matcher, [&] { batch.execute_block(sink); });
        if (batch.executed() % clock_commands != 0) continue;
        const auto now = std::chrono::steady_clock::now();
        if (now - looked < signals_interval) continue;
        looked = now;
        const nb::gil_scoped_acquire acquired;
        handle_signals();
    }
}

/// The journal gets the commands before the first one is executed. If it and the matcher no longer agree on what was
/// done, the journal ends: the matcher can then only be recovered from it.
template <typename Record>
void execute_journaled(OwnedMatcher& matcher, std::span<const Record> commands, JournalWriter& journal,
                       GrowingSink& sink) {
    if (journal.place().sequence != matcher.sequence()) journal.fall_out_of_step();
    sink.reserve(most_events(matcher, commands.size()));
    journal.append(commands.data(), commands.size());
    const std::uint32_t failures = matcher.growth_failures();
    try {
        execute_whole(matcher, [&] { matcher.execute_all(commands.data(), commands.size(), sink); });
    } catch (const std::bad_alloc&) {  // for events
        journal.fall_out_of_step();
        throw;
    }
    if (matcher.growth_failures() == failures) return;
    journal.fall_out_of_step();  // a replay with more memory would give other results
    throw std::bad_alloc();
}

/// Run `work`; if it throws between two commands, keep what was executed since `before`.
template <typename Work>
void keep_if_interrupted(OwnedMatcher& matcher, GrowingSink& sink, Work work) {
    const std::uint64_t before = matcher.sequence();
    try {
        work();
    } catch (...) {
        const std::uint64_t commands = matcher.sequence() - before;
        if (!matcher.broken && commands != 0) matcher.interrupted.emplace(commands, std::move(sink));
        throw;
    }
}

template <typename Record>
void execute(OwnedMatcher& matcher, std::span<const Record> commands, bool release, JournalWriter* journal,
             GrowingSink& sink) {
    std::optional<nb::gil_scoped_release> released;
    if (release) released.emplace();
    if (journal != nullptr) {
        execute_journaled(matcher, matcher.batch.of(commands), *journal, sink);
    } else if (!commands.empty()) {
        execute_blocks(matcher, commands, sink);
    }
}

}  // namespace

RecordArray process(OwnedMatcher& matcher, nb::handle commands, std::uint64_t release_from, JournalWriter* journal) {
    const std::optional<CommandArray> array = CommandArray::of(commands);
    if (!array) throw std::invalid_argument("the commands cannot be executed in place");
    const ExclusiveUse claim(matcher);
    matcher.interrupted.reset();
    const bool release = array->size() >= release_from;
    return array->visit([&]<typename Record>(std::span<const Record> in) {
        // The number of events of a small batch is known before they get memory of their own.
        const bool small = in.size() <= small_batch;
        GrowingSink own = small ? GrowingSink(0) : sink_for(in.size(), matcher.live_orders());
        GrowingSink& sink = small ? matcher.scratch : own;
        sink.clear();
        RecordArray events;
        keep_if_interrupted(matcher, sink, [&] {
            execute(matcher, in, release, journal, sink);
            handle_signals();
            if (!matcher.grid_checked && matcher.sequence() >= grid_check_commands) warn_of_grid(matcher);
            events = small ? array_of(sink.copy(), sink.count()) : array_of(sink);
        });
        return events;
    });
}

std::optional<std::tuple<std::uint64_t, RecordArray>> take_interrupted(OwnedMatcher& matcher) {
    const ExclusiveUse claim(matcher);
    if (!matcher.interrupted) return std::nullopt;
    const std::uint64_t commands = matcher.interrupted->commands;
    RecordArray events = array_of(matcher.interrupted->events);
    matcher.interrupted.reset();
    return std::tuple(commands, std::move(events));
}

}  // namespace lowlat
