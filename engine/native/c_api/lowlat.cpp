// Implements lowlat.h: only checks arguments, converts errors to codes, and copies bytes.
#include "engine/native/c_api/lowlat.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "engine/native/c_api/config.hpp"
#include "engine/native/c_api/event_queue.hpp"
#include "engine/native/c_api/same_bytes.hpp"
#include "engine/native/matching/auction_price.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/order_rows.hpp"

struct lowlat_engine {
    explicit lowlat_engine(const lowlat::EngineConfig& settings) : matcher(settings) {}

    lowlat::OwnedMatcher matcher;
    lowlat::EventQueue events;
};

namespace lowlat {
namespace {

template <typename Work>
lowlat_status guarded(Work work) noexcept {
    try {
        return work();
    } catch (const EngineBusyError&) {
        return LOWLAT_BUSY;
    } catch (const std::bad_alloc&) {
        return LOWLAT_OUT_OF_MEMORY;
    }
}

/// Run `work` with exclusive use of the engine, broken or not.
template <typename Work>
lowlat_status claimed(lowlat_engine* engine, Work work) noexcept {
    if (engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return guarded([&] {
        const Claim claim(engine->matcher);
        return work();
    });
}

/// The same, for an engine whose books are consistent.
template <typename Work>
lowlat_status whole(lowlat_engine* engine, Work work) noexcept {
    return claimed(engine, [&] { return engine->matcher.broken ? lowlat_status{LOWLAT_BROKEN} : work(); });
}

template <typename Row>
lowlat_status check_array(const Row* rows, std::size_t count) {
    if (rows == nullptr) return count == 0 ? LOWLAT_OK : LOWLAT_NULL_ARGUMENT;
    return reinterpret_cast<std::uintptr_t>(rows) % alignof(Row) == 0 ? LOWLAT_OK : LOWLAT_MISALIGNED;
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
    if (count == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(rows, room); status != LOWLAT_OK) return status;
    return whole(engine, [&]() -> lowlat_status {
        Rows<Row> out(rows, room);
        const lowlat_status status = fill(engine->matcher, out);
        if (status == LOWLAT_OK) *count = out.count();
        return status;
    });
}

template <typename Record, typename Row>
lowlat_status process(lowlat_engine* engine, const Row* commands, std::size_t count) noexcept {
    if (const lowlat_status status = check_array(commands, count); status != LOWLAT_OK) return status;
    return whole(engine, [&]() -> lowlat_status {
        try {
            execute_whole(engine->matcher, [&] {
                engine->matcher.execute_all(reinterpret_cast<const Record*>(commands), count, engine->events);
            });
        } catch (const std::bad_alloc&) {
            engine->events.drop(engine->matcher.sequence());
            throw;
        }
        return LOWLAT_OK;
    });
}

lowlat_counters counters_of(const lowlat_engine& engine) {
    const Matcher& matcher = engine.matcher;
    return {.commands = matcher.sequence(),
            .trades = matcher.trades(),
            .live_orders = matcher.live_orders(),
            .order_refusals = matcher.order_refusals(),
            .trade_refusals = matcher.trade_refusals(),
            .trades_held = matcher.tape().held(),
            .trades_recycled = matcher.tape().recycled(),
            .growths = matcher.growths(),
            .index_rehashes = matcher.index().seed(),
            .events_held = engine.events.held()};
}

lowlat_top_of_book best_of(const Matcher& matcher, std::uint32_t symbol) {
    PerSide<LevelRow> tops{};
    for (const Side side : both_sides) {
        matcher.for_each_level(symbol, side, [&](const LevelRow& row) {
            tops[side] = row;
            return false;
        });
    }
    const auto& [bid, ask] = tops.of;
    return {bid.price, bid.quantity, ask.price, ask.quantity};
}

constexpr std::array messages{
    "done",
    "a pointer is NULL that must not be",
    "an array does not start at a multiple of 8 bytes",
    "a size is of no version of its struct, or a field that this library does not know is not zero",
    "a symbol's rules: tick, lot, algorithm or off_tick is out of its range, or the band is empty",
    "settings: symbols, orders, trades, when_orders_dry or when_trades_dry is out of its range",
    "the engine holds no such symbol",
    "a side is LOWLAT_BUY or LOWLAT_SELL",
    "out of memory",
    "another thread is using this engine; give each thread its own, or take turns",
    "memory ran out inside a command before; drain the events, then reset or destroy the engine",
};
static_assert(messages.size() == LOWLAT_BROKEN + 1);

}  // namespace
}  // namespace lowlat

using namespace lowlat;

extern "C" {

const char* lowlat_message(lowlat_status status) noexcept {
    const bool known = status >= 0 && static_cast<std::size_t>(status) < messages.size();
    return known ? messages[static_cast<std::size_t>(status)] : "no status of this library";
}

lowlat_status lowlat_create(const lowlat_engine_config* settings, lowlat_engine** engine) noexcept {
    if (settings == nullptr || engine == nullptr) return LOWLAT_NULL_ARGUMENT;
    return guarded([&]() -> lowlat_status {
        EngineConfig read;
        if (const lowlat_status status = read_settings(*settings, read); status != LOWLAT_OK) return status;
        *engine = std::make_unique<lowlat_engine>(read).release();
        return LOWLAT_OK;
    });
}

// NOLINTNEXTLINE(misc-const-correctness): it takes the result of lowlat_create
void lowlat_destroy(lowlat_engine* engine) noexcept {
    delete engine;
}

lowlat_status lowlat_process(lowlat_engine* engine, const lowlat_command* commands, std::size_t count) noexcept {
    return process<Command>(engine, commands, count);
}

lowlat_status lowlat_process_extended(lowlat_engine* engine, const lowlat_extended_command* commands,
                                      std::size_t count) noexcept {
    return process<ExtendedCommand>(engine, commands, count);
}

lowlat_status lowlat_drain(lowlat_engine* engine, lowlat_event* events, std::size_t room,
                           std::size_t* drained) noexcept {
    if (drained == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (const lowlat_status status = check_array(events, room); status != LOWLAT_OK) return status;
    return claimed(engine, [&]() -> lowlat_status {
        *drained = engine->events.take(events, room);
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_top_of_book(lowlat_engine* engine, std::uint32_t symbol, lowlat_top_of_book* best) noexcept {
    if (best == nullptr) return LOWLAT_NULL_ARGUMENT;
    return whole(engine, [&]() -> lowlat_status {
        if (symbol >= engine->matcher.symbols()) return LOWLAT_UNKNOWN_SYMBOL;
        *best = best_of(engine->matcher, symbol);
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_depth(lowlat_engine* engine, std::uint32_t symbol, std::uint32_t side, lowlat_level* levels,
                               std::size_t room, std::size_t* count) noexcept {
    return list(engine, levels, room, count, [&](const Matcher& matcher, auto& out) -> lowlat_status {
        if (symbol >= matcher.symbols()) return LOWLAT_UNKNOWN_SYMBOL;
        if (!is_side(side)) return LOWLAT_UNKNOWN_SIDE;
        matcher.for_each_level(symbol, static_cast<Side>(side), [&](const LevelRow& row) {
            out.add(row);
            return !out.full();
        });
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_orders(lowlat_engine* engine, std::uint32_t symbol, lowlat_order* orders, std::size_t room,
                                std::size_t* count) noexcept {
    return list(engine, orders, room, count, [&](const Matcher& matcher, auto& out) -> lowlat_status {
        if (symbol >= matcher.symbols()) return LOWLAT_UNKNOWN_SYMBOL;
        for_each_order(matcher, symbol, [&](const OrderRow& row) { out.add(row); });
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_stops(lowlat_engine* engine, std::uint32_t symbol, lowlat_stop* stops, std::size_t room,
                               std::size_t* count) noexcept {
    return list(engine, stops, room, count, [&](const Matcher& matcher, auto& out) -> lowlat_status {
        if (symbol >= matcher.symbols()) return LOWLAT_UNKNOWN_SYMBOL;
        for_each_stop(matcher, symbol, [&](const StopRow& row) { out.add(row); });
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_trades(lowlat_engine* engine, lowlat_trade* trades, std::size_t room,
                                std::size_t* count) noexcept {
    return list(engine, trades, room, count, [](const Matcher& matcher, auto& out) -> lowlat_status {
        matcher.tape().for_each([&](const Trade& trade) { out.add(trade); });
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_release_trades(lowlat_engine* engine, std::uint64_t* released) noexcept {
    if (released == nullptr) return LOWLAT_NULL_ARGUMENT;
    return whole(engine, [&]() -> lowlat_status {
        *released = engine->matcher.drain_tape();
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_auction_indicative(lowlat_engine* engine, std::uint32_t symbol,
                                            lowlat_auction_indicative* indicative) noexcept {
    if (indicative == nullptr) return LOWLAT_NULL_ARGUMENT;
    return whole(engine, [&]() -> lowlat_status {
        if (symbol >= engine->matcher.symbols()) return LOWLAT_UNKNOWN_SYMBOL;
        CrossedLevels levels;
        const Uncross found = find_uncross(engine->matcher, symbol, levels).value_or(Uncross{});
        *indicative = {found.price, found.volume, found.imbalance};
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_get_counters(lowlat_engine* engine, lowlat_counters* counters, std::size_t size) noexcept {
    if (counters == nullptr) return LOWLAT_NULL_ARGUMENT;
    if (size % sizeof(std::uint64_t) != 0) return LOWLAT_UNKNOWN_SIZE;
    return whole(engine, [&]() -> lowlat_status {
        const lowlat_counters now = counters_of(*engine);
        const std::size_t known = std::min(size, sizeof now);
        std::memcpy(counters, &now, known);
        std::memset(reinterpret_cast<unsigned char*>(counters) + known, 0, size - known);
        return LOWLAT_OK;
    });
}

lowlat_status lowlat_reset(lowlat_engine* engine) noexcept {
    return claimed(engine, [&]() -> lowlat_status {
        engine->matcher.reset();
        engine->events.clear();
        engine->matcher.broken = false;
        return LOWLAT_OK;
    });
}

}  // extern "C"
