// An engine that hands each event to a callback, as the measured loops see it.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/native/foreign/library.hpp"
#include "engine/native/foreign/trade_count.hpp"
#include "engine/native/matching/sinks.hpp"

namespace lowlat {

class CallbackEngine {
  public:
    using Sink = RingSink;

    CallbackEngine(const EngineLibrary& library, void* engine)
        : execute_(library.interface().execute),
          engine_(engine),
          ring_(ring_events),
          sink_(ring_.data(), ring_events - 1) {}

    template <typename Record>
    LOWLAT_INLINE void execute(const Record& command, Sink& sink) noexcept {
        execute_(engine_, &command, 1, &take, &sink);
    }
    template <typename Record>
    void execute_all(const Record* commands, std::uint64_t count, Sink& sink) noexcept {
        execute_(engine_, commands, count, &take, &sink);
    }

    Sink& sink() { return sink_; }
    std::uint64_t trades() { return trades_.in(sink_); }
    std::vector<Event> tail() const { return last_events(ring_.data(), ring_events, sink_.count()); }
    static constexpr const char* function = "execute";

  private:
    /// Reads each field by itself, as a client would. One wide read of what the engine has just written in parts would
    /// wait until all of it is in the cache.
    static void take(void* to, const lowlat_event* event) noexcept {
        const volatile lowlat_event& from = *event;
        Event& kept = static_cast<Sink*>(to)->next();
        kept.sequence = from.sequence;
        kept.order_id = from.order_id;
        kept.maker_id = from.maker_id;
        kept.price = from.price;
        kept.quantity = from.quantity;
        kept.remaining = from.remaining;
        kept.maker_remaining = from.maker_remaining;
        kept.symbol = from.symbol;
        kept.trade_id = from.trade_id;
        kept.kind = static_cast<ExecType>(from.kind);
        kept.side = from.side;
        kept.reason = static_cast<Reason>(from.reason);
        kept.command = static_cast<CommandType>(from.command);
        kept.zero = from.zero;
    }

    void (*execute_)(void*, const void*, std::size_t, lowlat_event_callback, void*);
    void* engine_;
    std::vector<Event> ring_;
    Sink sink_;
    TradeCount trades_;
};

}  // namespace lowlat
