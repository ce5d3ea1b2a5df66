// The matching engine for C++20: the same engine as behind lowlat.h, compiled into the caller, so that its sink is
// inlined. docs/how-to/use-from-c.md shows a program; docs/matching.md says what the engine does with each command.
//
// What lowlat.h says about threads, units and layouts holds here. Command, ExtendedCommand and Event are byte for byte
// lowlat_command, lowlat_extended_command and lowlat_event. Nothing has to be linked, and liblowlat may be linked too.
#pragma once

#if __cplusplus < 202002L
#error "lowlat.hpp needs C++20: compile with -std=c++20, or use lowlat.h"
#endif

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/native/c_api/command_events.hpp"
#include "engine/native/c_api/event_queue.hpp"
#include "engine/native/c_api/guarded_matcher.hpp"
#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/same_bytes.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/order_rows.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// How far Engine::process_into came: commands executed, events written.
struct Processed {
    std::size_t executed = 0;
    std::size_t written = 0;
};

/// An engine with empty books.
///
/// A call that is refused throws EngineError, whose status() is that of the C interface, and has changed nothing. A
/// call that executes commands throws std::bad_alloc if memory runs out during one: commands before it are done, it has
/// no events, and until its reset the engine is broken: all but drain() and reset() throw LOWLAT_BROKEN.
class Engine {
  public:
    /// Throws EngineError for settings out of their range, std::bad_alloc.
    explicit Engine(const lowlat_engine_config& settings) : guarded_(settings) {}

    /// Let only this thread use the engine until release(). Each call is then cheaper: nothing has to be locked.
    void claim() { guarded_.ownership().claim(); }
    void release() { guarded_.ownership().release(); }

    // -- commands: Record is Command or ExtendedCommand ---------------------------------------------------------------

    /// Execute a command, then call `sink(const Event&)` for each of its events, in order. The sink may not use the
    /// engine (LOWLAT_REENTERED). If it throws, the command is done, and the sink gets no more of its events.
    ///
    /// The whole engine is inlined where this is called: call it in one place.
    template <typename Record, typename Sink>
    LOWLAT_INLINE void execute(const Record& command, Sink&& sink) {
        guarded_.execute(
            [&](Matcher& matcher) LOWLAT_INLINE_LAMBDA {
                events_.clear();
                matcher.execute(command, events_);
            },
            [&]() LOWLAT_INLINE_LAMBDA { events_.hand_over(sink); });
    }

    /// Execute commands in order and write their events directly into `events`; later commands are prefetched while one
    /// executes. Stops after the command with which `events` is full; events that no longer fit are queued, and the
    /// next call writes them first. `done` is set also if memory runs out.
    template <typename Record>
    void process_into(std::span<const Record> commands, std::span<Event> events, Processed& done) {
        guarded_.execute(
            [&](Matcher& matcher) {
                const std::uint64_t first = matcher.sequence();
                EventsInPlace out(events.data(), events.size(), queue_);
                const auto report = [&] { done = {matcher.sequence() - first, out.written()}; };
                try {
                    matcher.execute_while_room(commands.data(), commands.size(), out);
                } catch (...) {
                    out.drop(matcher.sequence());
                    report();
                    throw;
                }
                report();
            },
            [] {});
    }

    /// Execute commands in order and queue their events for drain().
    template <typename Record>
    void process(std::span<const Record> commands) {
        guarded_.execute(
            [&](Matcher& matcher) {
                try {
                    matcher.execute_all(commands.data(), commands.size(), queue_);
                } catch (...) {
                    queue_.drop(matcher.sequence());
                    throw;
                }
            },
            [] {});
    }

    /// Move the oldest queued events, at most `room`, to `to`, which need not be aligned. Returns their number.
    std::size_t drain(void* to, std::size_t room) {
        return guarded_.alone([&](Matcher&) { return queue_.take(to, room); });
    }

    /// Empty every book, the tape, the counters and the queue; keep the memory. The next command is number 0 again.
    void reset() {
        guarded_.reset([&] { queue_.clear(); });
    }

    // -- queries
    // --------------------------------------------------------------------------------------------------------

    lowlat_top_of_book top_of_book(std::uint32_t symbol) {
        return guarded_.whole([&](const Matcher& matcher) { return lowlat::top_of_book(matcher, symbol); });
    }

    /// Call `visit(const LevelRow&)` for each level of a side, best first, until it returns false.
    template <typename Visit>
    void for_each_level(std::uint32_t symbol, Side side, Visit visit) {
        guarded_.whole([&](const Matcher& matcher) {
            check_symbol(matcher, symbol);
            matcher.for_each_level(symbol, side, visit);
        });
    }

    /// Call `visit(const OrderRow&)` for each resting order: bids best first, then asks, oldest first within a level.
    template <typename Visit>
    void for_each_order(std::uint32_t symbol, Visit visit) {
        guarded_.whole([&](const Matcher& matcher) {
            check_symbol(matcher, symbol);
            lowlat::for_each_order(matcher, symbol, visit);
        });
    }

    /// Call `visit(const StopRow&)` for each waiting stop: buys lowest trigger first, then sells highest first.
    template <typename Visit>
    void for_each_stop(std::uint32_t symbol, Visit visit) {
        guarded_.whole([&](const Matcher& matcher) {
            check_symbol(matcher, symbol);
            lowlat::for_each_stop(matcher, symbol, visit);
        });
    }

    /// Call `visit(const Trade&)` for each record on the trade tape, oldest first.
    template <typename Visit>
    void for_each_trade(Visit visit) {
        guarded_.whole([&](const Matcher& matcher) { matcher.tape().for_each(visit); });
    }

    /// Release the records on the trade tape. Returns how many there were.
    std::uint64_t release_trades() {
        return guarded_.whole([](Matcher& matcher) { return matcher.drain_tape(); });
    }

    /// What an uncross would do now, in any phase. If the volume is 0, nothing would trade.
    lowlat_auction_indicative auction_indicative(std::uint32_t symbol) {
        return guarded_.whole([&](const Matcher& matcher) { return lowlat::auction_indicative(matcher, symbol); });
    }

    lowlat_counters counters() {
        return guarded_.whole([&](const Matcher& matcher) { return counters_of(matcher, queue_.held()); });
    }

  private:
    GuardedMatcher guarded_;
    CommandEvents events_;  // of execute()
    EventQueue queue_;      // of process() and process_into()
};

}  // namespace lowlat
