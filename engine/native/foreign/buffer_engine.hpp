// An engine that fills a buffer with its events, as the measured loops see it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/native/foreign/event_room.hpp"
#include "engine/native/foreign/library.hpp"
#include "engine/native/foreign/trade_count.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// The events of the latest call, where the engine wrote them.
class BufferSink {
  public:
    /// The latest event; one of zeros if the call gave none.
    LOWLAT_INLINE const Event& last() const { return room_.events()[held_ - (held_ != 0 ? 1 : 0)]; }
    std::uint64_t count() const { return count_; }
    const std::uint64_t* progress() const { return &count_; }
    template <typename Use>
    LOWLAT_INLINE void for_each_since(std::uint64_t first, Use use) const {
        const std::uint64_t oldest = count_ - held_;
        for (std::uint64_t at = std::max(first, oldest); at < count_; ++at) use(room_.events()[at - oldest]);
    }

    lowlat_event* raw() const { return room_.raw(); }
    LOWLAT_INLINE void filled(std::size_t written) {
        held_ = written;
        count_ += written;
    }

  private:
    EventRoom room_;
    std::uint64_t held_ = 0;
    std::uint64_t count_ = 0;
};

class BufferEngine {
  public:
    using Sink = BufferSink;
    /// Commands of one call in a batch: with four events each the room is full.
    static constexpr std::uint64_t block = EventRoom::size() / 4;

    BufferEngine(const EngineLibrary& library, void* engine)
        : process_(library.interface().process), drain_(library.interface().drain), engine_(engine) {}

    /// Throws ContractError.
    template <typename Record>
    LOWLAT_INLINE void execute(const Record& command, Sink& sink) {
        run(&command, 1, sink, [] {});
    }
    template <typename Record>
    void execute_all(const Record* commands, std::uint64_t count, Sink& sink) {
        execute_all(commands, count, sink, [] {});
    }
    /// The same; calls `use` whenever the sink has other events.
    template <typename Record, typename Use>
    void execute_all(const Record* commands, std::uint64_t count, Sink& sink, Use use) {
        for (std::uint64_t at = 0; at < count; at += block) run(commands + at, std::min(block, count - at), sink, use);
    }

    Sink& sink() { return sink_; }
    std::uint64_t trades() { return trades_.in(sink_); }
    std::vector<Event> tail() const {
        std::vector<Event> last;
        sink_.for_each_since(0, [&last](const Event& event) { last.push_back(event); });
        return last;
    }
    static constexpr const char* function = "process";

  private:
    template <typename Use>
    LOWLAT_INLINE void run(const void* commands, std::uint64_t count, Sink& sink, Use use) {
        std::size_t written = checked(process(commands, count, sink.raw()));
        for (;;) {
            sink.filled(written);
            use();
            if (!unlikely(written == EventRoom::size())) return;
            written = checked(drain(sink.raw()));
            if (written == 0) return;  // the room was just enough
        }
    }

    LOWLAT_INLINE static std::size_t checked(std::size_t written) {
        if (unlikely(written > EventRoom::size())) refuse(written);
        return written;
    }

    // An exception that leaves the library ends the process here, and CallWatch says so.
    LOWLAT_INLINE std::size_t process(const void* commands, std::uint64_t count, lowlat_event* events) noexcept {
        return process_(engine_, commands, count, events, EventRoom::size());
    }
    std::size_t drain(lowlat_event* events) noexcept { return drain_(engine_, events, EventRoom::size()); }

    [[noreturn]] LOWLAT_COLD static void refuse(std::size_t written) {
        throw ContractError("wrote " + std::to_string(written) + " events by its own count, to a room of " +
                            std::to_string(EventRoom::size()));
    }

    std::size_t (*process_)(void*, const void*, std::size_t, lowlat_event*, std::size_t);
    std::size_t (*drain_)(void*, lowlat_event*, std::size_t);
    void* engine_;
    Sink sink_;
    TradeCount trades_;
};

}  // namespace lowlat
