// Saves an engine's state and restores it: equal bytes mean equal books, and equal events from there on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/native/journal/saved_state.hpp"
#include "engine/native/journal/saved_state_check.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/store_memory.hpp"
#include "engine/native/matching/trailing_stops.hpp"
#include "engine/native/matching/waiting_stops.hpp"

namespace lowlat {

class Snapshot {
  public:
    static std::vector<std::byte> save(const OrderStore& store) {
        Snapshot saved;
        const Progress progress = store.progress();
        saved.put(SavedEngine{.sequence = progress.sequence,
                              .trades = progress.trades,
                              .clock = progress.clock,
                              .order_refusals = progress.order_refusals,
                              .trade_refusals = progress.trade_refusals,
                              .tape_capacity = store.tape().capacity(),
                              .tape_held = store.tape().held(),
                              .tape_recycled = progress.tape_recycled,
                              .orders_max = store.orders_max(),
                              .symbols = store.symbols(),
                              .growths = progress.growths,
                              .zero = 0});
        store.tape().for_each([&](const Trade& trade) { saved.put(trade); });
        for (const Book& book : store.books()) saved.put_book(store, book);
        return std::move(saved.bytes_);
    }

    /// Restore into an empty engine: check every field, build the books, and check their invariants. The pools of the
    /// engine may take `memory_bytes` more. Throws StateError, which names the field, or std::bad_alloc; the engine
    /// must then be discarded.
    static void restore(Matcher& matcher, const std::byte* bytes, std::size_t count, std::uint64_t memory_bytes) {
        SavedStateCheck(matcher, {bytes, count}).check();
        build(matcher, {bytes, count}, memory_bytes);
        if (const char* rule = find_violation(matcher); rule != nullptr)
            throw StateError(std::string("its books break an invariant: ") + rule);
    }

    /// From bytes that have been checked. What is left to find is an id of two orders.
    static void build(OrderStore& store, StateReader from, std::uint64_t memory_bytes) {
        const auto engine = from.get<SavedEngine>();
        make_room(store, engine, memory_bytes);
        for (std::uint64_t left = engine.tape_held; left > 0; --left) store.record(from.get<Trade>());
        for (std::uint32_t symbol = 0; symbol < store.symbols(); ++symbol) restore_book(store, symbol, from);
        store.resume({.sequence = engine.sequence,
                      .trades = engine.trades,
                      .clock = engine.clock,
                      .order_refusals = engine.order_refusals,
                      .trade_refusals = engine.trade_refusals,
                      .tape_recycled = engine.tape_recycled,
                      .growths = engine.growths});
    }

  private:
    // -- saving -------------------------------------------------------------------------------------------------------

    template <typename Record>
    void put(const Record& record) {
        const auto* from = reinterpret_cast<const std::byte*>(&record);
        bytes_.insert(bytes_.end(), from, from + sizeof record);
    }

    void put_book(const OrderStore& store, const Book& book) {
        const PerSide<std::vector<WaitingStop>> stops{
            {waiting_stops(store, book, Side::buy), waiting_stops(store, book, Side::sell)}};
        SavedBook saved{.last = book.last,
                        .orders = {},
                        .phase = book.phase,
                        .traded = book.traded ? std::uint8_t{1} : std::uint8_t{0},
                        .zero = {}};
        for (const Side side : both_sides) {
            store.for_each_queued(book.ladders[side], [&](Handle) { ++saved.orders[byte_of(side)]; });
            saved.orders[2 + byte_of(side)] = static_cast<std::uint32_t>(stops[side].size());
        }
        put(saved);
        for (const Ladder& ladder : book.ladders)
            store.for_each_queued(ladder,
                                  [&](Handle at) { put_order(store, at, store.level(store.order(at).level).key); });
        for (const std::vector<WaitingStop>& side : stops) put_stops(store, side);
    }

    void put_stops(const OrderStore& store, const std::vector<WaitingStop>& stops) {
        std::vector<std::uint64_t> trailing;  // by acceptance
        for (const WaitingStop& stop : stops)
            if (store.attributes(stop.handle).kind == CommandType::trailing_stop) trailing.push_back(stop.accepted);
        std::ranges::sort(trailing);
        for (const WaitingStop& stop : stops) {
            const bool trails = store.attributes(stop.handle).kind == CommandType::trailing_stop;
            const auto place = std::ranges::lower_bound(trailing, stop.accepted) - trailing.begin() + 1;
            put_order(store, stop.handle, stop.key,
                      Waits{.anchor = stop.anchor, .place = trails ? static_cast<std::uint32_t>(place) : 0});
        }
    }

    /// What a stop's attributes say in a snapshot only.
    struct Waits {
        std::int64_t anchor;
        std::uint32_t place;  // among the trailing stops of its side, by acceptance, from 1
    };

    void put_order(const OrderStore& store, Handle handle, std::int64_t key, std::optional<Waits> waits = {}) {
        const OrderBody& order = store.order(handle);
        put(SavedOrder{.id = order.id,
                       .key = key,
                       .quantity = order.quantity,
                       .side = byte_of(order.side),
                       .attributes = static_cast<std::uint8_t>(order.attributes & ~attribute_kept),
                       .has_attributes = has_attributes(order) ? std::uint8_t{1} : std::uint8_t{0},
                       .zero = {}});
        if (!has_attributes(order)) return;
        OrderAttributes attributes = store.attributes(handle);
        if (waits) attributes.anchor = waits->anchor;
        attributes.next = Handle{waits ? waits->place : 0};
        attributes.prev = nil;
        attributes.place = 0;
        attributes.pending = 0;
        attributes.chained = nil;
        put(attributes);
    }

    // -- restoring ----------------------------------------------------------------------------------------------------

    /// Grow the pools to their size in the saved engine. While they double, both sizes are there.
    static void make_room(OrderStore& store, const SavedEngine& engine, std::uint64_t memory_bytes) {
        if (engine.growths == 0) return;
        const std::uint64_t need = 2 * StoreMemory::bytes_for(store.symbols(), engine.orders_max, engine.tape_capacity);
        if (need > memory_bytes)
            throw StateError("orders_max " + std::to_string(engine.orders_max) + " and tape_capacity " +
                             std::to_string(engine.tape_capacity) + " need " + std::to_string(need) + " bytes, and " +
                             std::to_string(memory_bytes) + " are available");
        while (store.orders_max() < engine.orders_max)
            if (!store.grow_orders()) throw std::bad_alloc();
        store.reserve_tape(engine.tape_capacity);
    }

    static void restore_book(OrderStore& store, std::uint32_t symbol, StateReader& from) {
        const auto saved = from.get<SavedBook>();
        Book& book = store.book(symbol);
        book.last = saved.last;
        book.traded = saved.traded == 1;
        book.set_phase(saved.phase);
        book.retry = {true, true};
        book.day_orders = true;
        for (const std::uint32_t orders : saved.orders)
            for (std::uint32_t left = orders; left > 0; --left) restore_order(store, symbol, from);
    }

    static void restore_order(OrderStore& store, std::uint32_t symbol, StateReader& from) {
        const auto saved = from.get<SavedOrder>();
        if (store.find(saved.id, symbol) != nil)
            throw StateError("symbol " + std::to_string(symbol) + ": id " + std::to_string(saved.id) +
                             " is of two orders");
        Book& book = store.book(symbol);
        const Handle handle = store.add(book, {.id = saved.id,
                                               .quantity = saved.quantity,
                                               .level = nil,
                                               .chained = nil,
                                               .symbol = static_cast<std::uint16_t>(symbol),
                                               .side = side_of(saved),
                                               .attributes = saved.attributes});
        if (saved.has_attributes == 1) store.add_attributes(handle) = from.get<OrderAttributes>();
        if ((saved.attributes & attribute_gtd) != 0) store.schedule_expiry(handle);
        if ((saved.attributes & attribute_waits) != 0) {
            restore_stop(store, book, handle, saved.key);
        } else {
            store.enqueue(book.ladders[side_of(saved)], saved.key, handle);
        }
        store.list(handle);
    }

    /// Stops come in the order in which they came to their triggers, as far as it matters.
    static void restore_stop(OrderStore& store, Book& book, Handle handle, std::int64_t key) {
        const Side side = store.order(handle).side;
        const std::uint64_t moment = ++book.stop_moments;
        if (store.attributes(handle).kind == CommandType::trailing_stop) {
            store.trailing(book, side).add(handle, moment);
        } else {
            store.set_anchor(handle, static_cast<std::int64_t>(moment));
            store.enqueue(book.stops[side], key, handle);
        }
    }

    std::vector<std::byte> bytes_;
};

}  // namespace lowlat
