// Implements lowlat.h: only checks arguments, converts errors to codes, and copies bytes.
#include "engine/native/c_api/lowlat.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "engine/native/c_api/guarded_matcher.hpp"
#include "engine/native/c_api/lowlat.hpp"
#include "engine/native/c_api/status.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

struct lowlat_engine : lowlat::Engine {
    using Engine::Engine;
};

namespace lowlat {
namespace {

/// Run `work`, and say what it throws as a status.
template <typename Work>
LOWLAT_INLINE lowlat_status status_of(Work work) noexcept {
    try {
        work();
        return LOWLAT_OK;
    } catch (const EngineError& error) {
        return error.status();
    } catch (const std::bad_alloc&) {
        return LOWLAT_OUT_OF_MEMORY;
    }
}

bool at_multiple_of(std::size_t bytes, const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

template <typename Row, std::size_t alignment = alignof(Row)>
lowlat_status check_array(const Row* rows, std::size_t count) {
    if (rows == nullptr) return count == 0 ? LOWLAT_OK : LOWLAT_NULL_ARGUMENT;
    return at_multiple_of(alignment, rows) ? LOWLAT_OK : LOWLAT_MISALIGNED;
}

/// A caller's array, and the number of records written to it.
template <typename Row>
class Rows {
  public:
    Rows(Row* rows, std::size_t room) : rows_(rows), room_(room) {}
    bool full() const { return count_ == room_; }
    std::size_t count() const { return count_; }

    /// Copied as bytes, because our records require more alignment than a caller's array has.
    template <typename Record>
    void add(const Record& record) {
        static_assert(sizeof(Record) == sizeof(Row));
        if (!full()) std::memcpy(rows_ + count_++, &record, sizeof(Row));
    }

  private:
    Row* rows_;
    std::size_t room_;
    std::size_t count_ = 0;
};

/// Let `fill` write into the caller's array.
template <typename Row, typename Fill>
lowlat_status list(lowlat_engine* engine, Row* rows, std::size_t room, std::size_t* count, Fill fill) noexcept {
    if (engine == nullptr || count == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(rows, room); status != LOWLAT_OK) return status;
    return status_of([&] {
        Rows<Row> out(rows, room);
        fill(out);
        *count = out.count();
    });
}

template <typename Record, typename Row>
LOWLAT_INLINE lowlat_status execute(lowlat_engine* engine, const Row* command, lowlat_sink sink, void* user) noexcept {
    if (unlikely(engine == nullptr || command == nullptr || sink == nullptr)) return LOWLAT_NULL_ARGUMENT;
    if (unlikely(!at_multiple_of(alignof(Row), command))) return LOWLAT_MISALIGNED;
    return status_of([&]() LOWLAT_INLINE_LAMBDA {
        engine->execute(*reinterpret_cast<const Record*>(command), [&](const Event& event) noexcept {
            sink(user, reinterpret_cast<const lowlat_event*>(&event));
        });
    });
}

template <typename Record, typename Row>
lowlat_status process(lowlat_engine* engine, const Row* commands, std::size_t count) noexcept {
    if (engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(commands, count); status != LOWLAT_OK) return status;
    return status_of([&] { engine->process(std::span(reinterpret_cast<const Record*>(commands), count)); });
}

template <typename Record, typename Row>
lowlat_status process_into(lowlat_engine* engine, const Row* commands, std::size_t count, lowlat_event* events,
                           std::size_t room, std::size_t* executed, std::size_t* written) noexcept {
    if (engine == nullptr || executed == nullptr || written == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(commands, count); status != LOWLAT_OK) return status;
    if (const lowlat_status status = check_array<lowlat_event, alignof(Event)>(events, room); status != LOWLAT_OK)
        return status;
    Processed done;
    const lowlat_status status = status_of([&] {
        engine->process_into(std::span(reinterpret_cast<const Record*>(commands), count),
                             std::span(reinterpret_cast<Event*>(events), room), done);
    });
    if (status == LOWLAT_OK || status == LOWLAT_OUT_OF_MEMORY) {
        *executed = done.executed;
        *written = done.written;
    }
    return status;
}

}  // namespace
}  // namespace lowlat

using namespace lowlat;

extern "C" {

const char* lowlat_message(lowlat_status status) noexcept {
    return message_of(status);
}

lowlat_status lowlat_create(const lowlat_engine_config* settings, lowlat_engine** engine) noexcept {
    if (settings == nullptr || engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { *engine = std::make_unique<lowlat_engine>(*settings).release(); });
}

// NOLINTNEXTLINE(misc-const-correctness): it takes the result of lowlat_create
void lowlat_destroy(lowlat_engine* engine) noexcept {
    delete engine;
}

lowlat_status lowlat_claim(lowlat_engine* engine) noexcept {
    if (engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { engine->claim(); });
}

lowlat_status lowlat_release(lowlat_engine* engine) noexcept {
    if (engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { engine->release(); });
}

lowlat_status lowlat_execute(lowlat_engine* engine, const lowlat_command* command, lowlat_sink sink,
                             void* user) noexcept {
    return execute<Command>(engine, command, sink, user);
}

lowlat_status lowlat_execute_extended(lowlat_engine* engine, const lowlat_extended_command* command, lowlat_sink sink,
                                      void* user) noexcept {
    return execute<ExtendedCommand>(engine, command, sink, user);
}

lowlat_status lowlat_process(lowlat_engine* engine, const lowlat_command* commands, std::size_t count) noexcept {
    return process<Command>(engine, commands, count);
}

lowlat_status lowlat_process_extended(lowlat_engine* engine, const lowlat_extended_command* commands,
                                      std::size_t count) noexcept {
    return process<ExtendedCommand>(engine, commands, count);
}

lowlat_status lowlat_process_into(lowlat_engine* engine, const lowlat_command* commands, std::size_t count,
                                  lowlat_event* events, std::size_t room, std::size_t* executed,
                                  std::size_t* written) noexcept {
    return process_into<Command>(engine, commands, count, events, room, executed, written);
}

lowlat_status lowlat_process_extended_into(lowlat_engine* engine, const lowlat_extended_command* commands,
                                           std::size_t count, lowlat_event* events, std::size_t room,
                                           std::size_t* executed, std::size_t* written) noexcept {
    return process_into<ExtendedCommand>(engine, commands, count, events, room, executed, written);
}

lowlat_status lowlat_drain(lowlat_engine* engine, lowlat_event* events, std::size_t room,
                           std::size_t* drained) noexcept {
    if (engine == nullptr || drained == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(events, room); status != LOWLAT_OK) return status;
    return status_of([&] { *drained = engine->drain(events, room); });
}

lowlat_status lowlat_get_top_of_book(lowlat_engine* engine, std::uint32_t symbol, lowlat_top_of_book* best) noexcept {
    if (engine == nullptr || best == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { *best = engine->top_of_book(symbol); });
}

lowlat_status lowlat_get_depth(lowlat_engine* engine, std::uint32_t symbol, std::uint32_t side, lowlat_level* levels,
                               std::size_t room, std::size_t* count) noexcept {
    return list(engine, levels, room, count, [&](auto& out) {
        if (!is_side(side)) refuse(LOWLAT_UNKNOWN_SIDE);
        engine->for_each_level(symbol, static_cast<Side>(side), [&](const LevelRow& row) {
            out.add(row);
            return !out.full();
        });
    });
}

lowlat_status lowlat_get_orders(lowlat_engine* engine, std::uint32_t symbol, lowlat_order* orders, std::size_t room,
                                std::size_t* count) noexcept {
    return list(engine, orders, room, count,
                [&](auto& out) { engine->for_each_order(symbol, [&](const OrderRow& row) { out.add(row); }); });
}

lowlat_status lowlat_get_stops(lowlat_engine* engine, std::uint32_t symbol, lowlat_stop* stops, std::size_t room,
                               std::size_t* count) noexcept {
    return list(engine, stops, room, count,
                [&](auto& out) { engine->for_each_stop(symbol, [&](const StopRow& row) { out.add(row); }); });
}

lowlat_status lowlat_get_trades(lowlat_engine* engine, lowlat_trade* trades, std::size_t room,
                                std::size_t* count) noexcept {
    return list(engine, trades, room, count,
                [&](auto& out) { engine->for_each_trade([&](const Trade& trade) { out.add(trade); }); });
}

lowlat_status lowlat_release_trades(lowlat_engine* engine, std::uint64_t* released) noexcept {
    if (engine == nullptr || released == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { *released = engine->release_trades(); });
}

lowlat_status lowlat_get_auction_indicative(lowlat_engine* engine, std::uint32_t symbol,
                                            lowlat_auction_indicative* indicative) noexcept {
    if (engine == nullptr || indicative == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { *indicative = engine->auction_indicative(symbol); });
}

lowlat_status lowlat_get_counters(lowlat_engine* engine, lowlat_counters* counters, std::size_t size) noexcept {
    if (engine == nullptr || counters == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (size % sizeof(std::uint64_t) != 0) return LOWLAT_UNKNOWN_SIZE;
    return status_of([&] {
        const lowlat_counters now = engine->counters();
        const std::size_t known = std::min(size, sizeof now);
        std::memcpy(counters, &now, known);
        std::memset(reinterpret_cast<unsigned char*>(counters) + known, 0, size - known);
    });
}

lowlat_status lowlat_reset(lowlat_engine* engine) noexcept {
    if (engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return status_of([&] { engine->reset(); });
}

}  // extern "C"
