// An engine that runs as another process: commands one way, events the other, through two rings. The last event of a
// command has 1 where others have their padding, `zero`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/native/external/patience.hpp"
#include "engine/native/foreign/trade_count.hpp"
#include "engine/native/matching/growing_sink.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/rings/spsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace lowlat {

/// Marks the last event of a command.
inline constexpr std::uint32_t last_of_command = 1;

/// The engine's process ended, hangs, or breaks the protocol. Becomes NotValidError in Python, which says where.
class RingProcessError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Two rings' memory, checked and kept by the caller.
struct RingPair {
    void* commands;
    std::uint64_t commands_capacity;
    void* events;
    std::uint64_t events_capacity;
};

class RingProcess {
  public:
    RingProcess(const RingPair& rings, std::size_t command_size, const Patience& patience)
        : rings_(rings),
          events_(rings.events, rings.events_capacity),
          command_size_(command_size),
          patience_(patience) {}

    std::size_t command_size() const { return command_size_; }
    std::uint64_t answered() const { return answered_; }

    /// Sends the commands as fast as they fit, and hands each event to `keep` until every command has its last one.
    /// Throws RingProcessError.
    template <typename Record, typename Keep>
    LOWLAT_INLINE void exchange(const Record* commands, std::uint64_t count, Keep keep) {
        SpscRing<Record> to(rings_.commands, rings_.commands_capacity);
        const std::uint64_t end = answered_ + count;
        std::uint64_t sent = 0;
        Backoff backoff(WaitStrategy::yield);
        while (answered_ < end) {
            const std::uint64_t pushed = sent == count ? 0 : to.try_push(commands + sent, count - sent);
            sent += pushed;
            if (take(keep, end) + pushed != 0) {
                backoff.progress();
                patience_.progress();
            } else if (backoff.pause() && unlikely(backoff.time_to_look())) {
                check();
            }
        }
    }

  private:
    /// How many events a look takes at most: then commands are sent again.
    static constexpr std::uint64_t look = 256;

    /// Takes events up to the last one of the command before `end`. Returns how many.
    template <typename Keep>
    LOWLAT_INLINE std::uint64_t take(Keep& keep, std::uint64_t end) {
        const auto ready = events_.peek(look);
        std::uint64_t taken = 0;
        while (taken != ready.size() && answered_ != end) {
            Event event = ready[taken++];  // read once: the other process may write on
            answered_ += event.zero == last_of_command ? 1 : 0;
            if (event.zero == last_of_command) event.zero = 0;
            keep(event);
        }
        if (taken != 0) events_.release(taken);
        seen_ += taken;
        if (unlikely(seen_ > events_most(end))) throw RingProcessError("emits events without end");
        return taken;
    }

    /// Far more events than any engine has for all commands so far; see ForeignEngine.
    static std::uint64_t events_most(std::uint64_t commands) { return std::max(std::uint64_t{1} << 21, 64 * commands); }

    LOWLAT_COLD void check() {
        const Patience::Verdict verdict = patience_.look();
        if (verdict == Patience::Verdict::wait) return;
        if (!events_.peek(1).empty()) return;  // it answered before it ended
        throw RingProcessError(verdict == Patience::Verdict::ended ? "ended" : "hangs");
    }

    RingPair rings_;
    SpscRing<Event> events_;
    std::size_t command_size_;
    Patience patience_;
    std::uint64_t answered_ = 0;
    std::uint64_t seen_ = 0;
};

/// The engine as the measured loops see it: the last events are kept in a ring of our own.
class RingCaller {
  public:
    using Sink = RingSink;

    explicit RingCaller(RingProcess& process)
        : process_(process), kept_(ring_events), sink_(kept_.data(), ring_events - 1) {}

    template <typename Record>
    LOWLAT_INLINE void execute(const Record& command, Sink& sink) {
        execute_all(&command, 1, sink);
    }
    template <typename Record>
    LOWLAT_INLINE void execute_all(const Record* commands, std::uint64_t count, Sink& sink) {
        process_.exchange(commands, count, [&sink](const Event& event) { sink.next() = event; });
    }

    Sink& sink() { return sink_; }
    std::uint64_t trades() { return trades_.in(sink_); }
    std::vector<Event> tail() const { return last_events(kept_.data(), ring_events, sink_.count()); }

  private:
    RingProcess& process_;
    std::vector<Event> kept_;
    Sink sink_;
    TradeCount trades_;
};

}  // namespace lowlat
