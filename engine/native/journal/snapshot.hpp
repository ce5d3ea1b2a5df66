// Serializes an engine's state: equal bytes mean equal books, and equal events from there on.
//
// The state is a list of orders in their queues, not an image of memory: it does not depend on an order's node, on the
// position of a ladder's window, or on the hash of the index. A restored engine therefore saves the same bytes again.
//
//     SavedEngine | Trade per record on the tape, oldest first |
//     per symbol: SavedBook | per queue (bids, asks, buy stops, sell stops), best level and oldest first: SavedOrder,
//                             each followed by its OrderAttributes if it has any
//
// In OrderAttributes, `next` holds a trailing stop's position among those of its side, by acceptance, from 1; `prev`,
// `place` and `pending` are zero, and so is the `anchor` of a stop that does not trail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/trailing_stops.hpp"
#include "engine/native/matching/waiting_stops.hpp"

namespace lowlat {

struct SavedEngine {
    std::uint64_t sequence;
    std::uint64_t trades;
    std::uint64_t clock;
    std::uint64_t order_refusals;
    std::uint64_t trade_refusals;
    std::uint64_t tape_capacity;
    std::uint64_t tape_held;
    std::uint64_t tape_recycled;
    std::uint32_t orders_max;
    std::uint32_t symbols;
    std::uint32_t growths;
    std::uint32_t zero;
};
static_assert(sizeof(SavedEngine) == 80);

struct SavedBook {
    std::int64_t last;
    std::uint32_t orders[4];  // in each queue
    TradingPhase phase;
    bool traded;
    std::uint8_t zero[6];
};
static_assert(sizeof(SavedBook) == 32);

struct SavedOrder {
    std::uint64_t id;
    std::int64_t key;  // of its level
    std::uint32_t quantity;
    std::uint8_t side;
    std::uint8_t attributes;
    bool has_attributes;  // its OrderAttributes follow
    std::uint8_t zero[9];
};
static_assert(sizeof(SavedOrder) == 32);

/// The bytes are not a valid state of an engine with these settings. Becomes the Python error FormatError.
class StateError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Snapshot {
  public:
    static std::vector<std::byte> save(const OrderStore& store) {
        Snapshot saved;
        const OrderStore::Progress progress = store.progress();
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

    /// Restore into an empty engine. Throws StateError or std::bad_alloc; the engine must then be discarded.
    static void restore(OrderStore& store, const std::byte* bytes, std::size_t count) {
        Reader from{bytes, count};
        const auto engine = from.get<SavedEngine>();
        if (engine.symbols != store.symbols()) throw StateError("its symbols are not those of the settings");
        make_room(store, engine);
        for (std::uint64_t left = engine.tape_held; left > 0; --left) store.record(from.get<Trade>());
        for (std::uint32_t symbol = 0; symbol < store.symbols(); ++symbol) restore_book(store, symbol, from);
        if (from.left != 0) throw StateError("it is longer than what it tells");
        store.resume({.sequence = engine.sequence,
                      .trades = engine.trades,
                      .clock = engine.clock,
                      .order_refusals = engine.order_refusals,
                      .trade_refusals = engine.trade_refusals,
                      .tape_recycled = engine.tape_recycled,
                      .growths = engine.growths});
    }

  private:
    struct Reader {
        const std::byte* at;
        std::size_t left;

        template <typename Record>
        Record get() {
            if (left < sizeof(Record)) throw StateError("it ends too early");
            Record record;
            std::memcpy(static_cast<void*>(&record), at, sizeof record);
            at += sizeof record;
            left -= sizeof record;
            return record;
        }
    };

    // -- saving -------------------------------------------------------------------------------------------------------

    template <typename Record>
    void put(const Record& record) {
        const auto* from = reinterpret_cast<const std::byte*>(&record);
        bytes_.insert(bytes_.end(), from, from + sizeof record);
    }

    void put_book(const OrderStore& store, const Book& book) {
        const PerSide<std::vector<WaitingStop>> stops{
            {waiting_stops(store, book, Side::buy), waiting_stops(store, book, Side::sell)}};
        SavedBook saved{.last = book.last, .orders = {}, .phase = book.phase, .traded = book.traded, .zero = {}};
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
                       .attributes = order.attributes,
                       .has_attributes = order.attributes_handle != nil,
                       .zero = {}});
        if (order.attributes_handle == nil) return;
        OrderAttributes attributes = store.attributes(handle);
        if (waits) attributes.anchor = waits->anchor;
        attributes.next = Handle{waits ? waits->place : 0};
        attributes.prev = nil;
        attributes.place = 0;
        attributes.pending = 0;
        put(attributes);
    }

    // -- restoring ----------------------------------------------------------------------------------------------------

    /// Grow the pools to their size in the saved engine.
    static void make_room(OrderStore& store, const SavedEngine& engine) {
        while (store.orders_max() < engine.orders_max)
            if (!store.grow_orders()) throw std::bad_alloc();
        store.reserve_tape(engine.tape_capacity);
        if (engine.tape_held > store.tape().capacity()) throw StateError("its tape holds more than there is room for");
    }

    static void restore_book(OrderStore& store, std::uint32_t symbol, Reader& from) {
        const auto saved = from.get<SavedBook>();
        Book& book = store.book(symbol);
        book.last = saved.last;
        book.traded = saved.traded;
        book.set_phase(saved.phase);
        book.retry = {true, true};
        book.day_orders = true;
        PerSide<std::vector<std::pair<std::uint32_t, Handle>>> trailing;  // by position in their list
        const auto queues = book.queues();
        for (std::size_t at = 0; at < queues.size(); ++at) {
            for (std::uint32_t left = saved.orders[at]; left > 0; --left) {
                const Handle handle = restore_order(store, symbol, from, at);
                const OrderBody& order = store.order(handle);
                if (order.attributes_handle != nil && store.attributes(handle).next != nil)
                    trailing[order.side].emplace_back(index_of(store.attributes(handle).next), handle);
            }
        }
        for (const Side side : both_sides) {
            std::ranges::sort(trailing[side]);
            const auto wrong = [&](const auto& older, const auto& younger) {
                const OrderAttributes& one = store.attributes(older.second);
                const OrderAttributes& other = store.attributes(younger.second);
                return one.accepted >= other.accepted ||
                       (side == Side::buy ? one.anchor > other.anchor : one.anchor < other.anchor);
            };
            if (std::ranges::adjacent_find(trailing[side], wrong) != trailing[side].end())
                throw StateError("its trailing stops are not in their order");
        }
    }

    /// `queue`: the queue of the book to which the order belongs.
    static Handle restore_order(OrderStore& store, std::uint32_t symbol, Reader& from, std::size_t queue) {
        const auto saved = from.get<SavedOrder>();
        const bool waits = (saved.attributes & attribute_waits) != 0;
        if (saved.side != queue % 2 || waits != (queue >= 2) || saved.quantity == 0 ||
            ((saved.attributes & attributes_stored) != 0 && !saved.has_attributes))
            throw StateError("an order is not one of its queue");
        if (store.full()) throw StateError("it has more orders than the settings");
        if (store.find(saved.id, symbol) != nil) throw StateError("two orders have one id");
        Book& book = store.book(symbol);
        const Handle handle = store.add(book, {.id = saved.id,
                                               .quantity = saved.quantity,
                                               .level = nil,
                                               .attributes_handle = nil,
                                               .symbol = static_cast<std::uint16_t>(symbol),
                                               .side = side_of(saved),
                                               .attributes = saved.attributes});
        if (saved.has_attributes) {
            OrderAttributes& attributes = store.add_attributes(handle);
            attributes = from.get<OrderAttributes>();
            attributes.pending = 0;
        }
        if (saved.has_attributes && (saved.attributes & attribute_gtd) != 0) store.schedule_expiry(handle);
        if (waits) {
            restore_stop(store, book, handle, saved.key);
        } else {
            store.enqueue(book.ladders[side_of(saved)], saved.key, handle);
        }
        store.list(handle);
        return handle;
    }

    /// Stops come in the order in which they came to their triggers, as far as it matters.
    static void restore_stop(OrderStore& store, Book& book, Handle handle, std::int64_t key) {
        const Side side = store.order(handle).side;
        const OrderAttributes& stop = store.attributes(handle);
        const std::uint64_t moment = ++book.stop_moments;
        if (stop.kind == CommandType::trailing_stop) {
            if (TrailingStops::key_at(book, side, stop.anchor, stop) != key)
                throw StateError("a trailing stop is not at its trigger");
            store.trailing(book, side).add(handle, moment);
        } else {
            store.set_anchor(handle, static_cast<std::int64_t>(moment));
            store.enqueue(book.stops[side], key, handle);
        }
    }

    std::vector<std::byte> bytes_;
};

}  // namespace lowlat
