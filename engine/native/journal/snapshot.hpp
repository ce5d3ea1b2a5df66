// An engine's state as bytes, and back: equal bytes, equal books, and equal events from there on.
//
// The state is told as orders in their queues, not as memory: nothing of it depends on which node an order has, on
// where a ladder's window lies, or on the hash of the index. So an engine that was restored saves the same bytes again.
//
//     SavedEngine | Trade per record on the tape, oldest first |
//     per symbol: SavedBook | per queue (bids, asks, buy stops, sell stops), best level and oldest first: SavedOrder,
//                             each followed by its OrderTerms if it has any
//
// Of terms, `next` holds a trailing stop's place in its list, from 1; `prev` and `place` are zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_store.hpp"

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
    std::uint32_t orders[4];  // of each queue
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
    std::uint8_t terms;
    bool kept;  // its OrderTerms follow
    std::uint8_t zero[9];
};
static_assert(sizeof(SavedOrder) == 32);

/// Bytes that are no state of an engine with these settings.
class StateError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Snapshot {
  public:
    static std::vector<std::byte> save(const Store& store) {
        Snapshot saved;
        saved.put(SavedEngine{.sequence = store.sequence_,
                              .trades = store.trades_,
                              .clock = store.clock_,
                              .order_refusals = store.order_refusals_,
                              .trade_refusals = store.trade_refusals_,
                              .tape_capacity = store.tape_.capacity(),
                              .tape_held = store.tape_.held(),
                              .tape_recycled = store.tape_.recycled(),
                              .orders_max = store.orders_max_,
                              .symbols = store.symbols_,
                              .growths = store.growths_,
                              .zero = 0});
        store.tape_.for_each([&](const Trade& trade) { saved.put(trade); });
        for (const Book& book : store.books_) saved.put_book(store, book);
        return std::move(saved.bytes_);
    }

    /// Into an engine that is empty. Throws StateError, or std::bad_alloc; the engine is to be thrown away then.
    static void restore(Store& store, const std::byte* bytes, std::size_t count) {
        Reader from{bytes, count};
        const auto engine = from.get<SavedEngine>();
        if (engine.symbols != store.symbols_) throw StateError("its symbols are not those of the settings");
        make_room(store, engine);
        restore_tape(store, engine, from);
        for (Book& book : store.books_) restore_book(store, book, from);
        if (from.left != 0) throw StateError("it is longer than what it tells");
        store.sequence_ = engine.sequence;
        store.trades_ = engine.trades;
        store.clock_ = engine.clock;
        store.order_refusals_ = engine.order_refusals;
        store.trade_refusals_ = engine.trade_refusals;
        store.growths_ = engine.growths;
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

    void put_book(const Store& store, const Book& book) {
        const auto queues = book.queues();
        SavedBook saved{.last = book.last, .orders = {}, .phase = book.phase, .traded = book.traded, .zero = {}};
        for (std::size_t at = 0; at < queues.size(); ++at)
            store.for_each_queued(*queues[at], [&](Handle) { ++saved.orders[at]; });
        put(saved);
        number_trailing(store, book);
        for (const Ladder* queue : queues) store.for_each_queued(*queue, [&](Handle at) { put_order(store, at); });
    }

    void number_trailing(const Store& store, const Book& book) {
        trailing_.clear();
        for (const Book::List& list : book.trailing) {
            std::uint32_t place = 0;
            for (Handle at = list.first; at != nil; at = store.terms_[store.nodes_[at].order.kept].next)
                trailing_.emplace_back(at, ++place);
        }
        std::ranges::sort(trailing_);
    }

    void put_order(const Store& store, Handle handle) {
        const OrderBody& order = store.nodes_[handle].order;
        put(SavedOrder{.id = order.id,
                       .key = store.nodes_[order.level].level.key,
                       .quantity = order.quantity,
                       .side = order.side,
                       .terms = order.terms,
                       .kept = order.kept != nil,
                       .zero = {}});
        if (order.kept == nil) return;
        OrderTerms terms = store.terms_[order.kept];
        terms.next = place_in_list(handle);
        terms.prev = nil;
        terms.place = 0;
        put(terms);
    }

    std::uint32_t place_in_list(Handle handle) const {
        const auto found = std::ranges::lower_bound(trailing_, handle, {}, &std::pair<Handle, std::uint32_t>::first);
        return found != trailing_.end() && found->first == handle ? found->second : 0;
    }

    // -- restoring ----------------------------------------------------------------------------------------------------

    /// Pools that had grown are as large again.
    static void make_room(Store& store, const SavedEngine& engine) {
        while (store.orders_max_ < engine.orders_max)
            if (!store.grow_orders()) throw std::bad_alloc();
        if (store.tape_.capacity() < engine.tape_capacity) store.take_tape(engine.tape_capacity);
        if (engine.tape_held > store.tape_.capacity()) throw StateError("its tape holds more than there is room for");
    }

    static void restore_tape(Store& store, const SavedEngine& engine, Reader& from) {
        for (std::uint64_t left = engine.tape_held; left > 0; --left) store.tape_.acquire() = from.get<Trade>();
        store.tape_.note_recycled(engine.tape_recycled);
    }

    static void restore_book(Store& store, Book& book, Reader& from) {
        const auto saved = from.get<SavedBook>();
        book.last = saved.last;
        book.traded = saved.traded;
        book.phase = saved.phase;
        if (saved.phase != TradingPhase::continuous) book.note(1);
        std::vector<std::pair<std::uint32_t, Handle>> trailing[2];  // by place in their list
        const auto queues = book.queues();
        for (std::size_t at = 0; at < queues.size(); ++at) {
            for (std::uint32_t left = saved.orders[at]; left > 0; --left) {
                const Handle handle = restore_order(store, book, *queues[at], at, from);
                const OrderBody& order = store.nodes_[handle].order;
                if (order.kept != nil && store.terms_[order.kept].next != 0)
                    trailing[order.side].emplace_back(store.terms_[order.kept].next, handle);
            }
        }
        for (int side = 0; side < 2; ++side) {
            std::ranges::sort(trailing[side]);
            for (const auto& [place, handle] : trailing[side]) append(store, book.trailing[side], handle);
        }
    }

    static Handle restore_order(Store& store, Book& book, Ladder& ladder, std::size_t queue, Reader& from) {
        const auto saved = from.get<SavedOrder>();
        const bool waits = (saved.terms & term_waits) != 0;
        if (saved.side != queue % 2 || waits != (queue >= 2) || saved.quantity == 0 ||
            ((saved.terms & terms_kept) != 0 && !saved.kept))
            throw StateError("an order is not one of its queue");
        if (store.live_ == store.orders_max_) throw StateError("it has more orders than the settings");
        const auto symbol = static_cast<std::uint16_t>(&book - store.books_.data());
        const std::uint32_t tag = store.index_.tag(saved.id, symbol);
        if (store.find(saved.id, symbol, tag) != nil) throw StateError("two orders have one id");
        const Handle handle = store.nodes_.acquire();
        OrderBody& order = store.nodes_[handle].order;
        order = {.id = saved.id,
                 .quantity = saved.quantity,
                 .level = nil,
                 .kept = nil,
                 .symbol = symbol,
                 .side = saved.side,
                 .terms = saved.terms};
        ++store.live_;
        if (saved.kept) {
            order.kept = store.terms_.acquire();
            store.terms_[order.kept] = from.get<OrderTerms>();
            if ((order.terms & term_gtd) != 0) store.expiries_.push(store.terms_, handle, order.kept);
        }
        if ((order.terms & terms_met) != 0) book.note(1);
        if ((order.terms & term_all_or_none) != 0) ++book.all_or_none[order.side];
        store.queue_up(ladder, saved.key, handle);
        if (!store.index_.insert(tag, handle)) store.rebuild_index();
        return handle;
    }

    static void append(Store& store, Book::List& list, Handle handle) {
        OrderTerms& added = store.terms_[store.nodes_[handle].order.kept];
        added.next = nil;
        added.prev = list.last;
        (list.last == nil ? list.first : store.terms_[store.nodes_[list.last].order.kept].next) = handle;
        list.last = handle;
    }

    std::vector<std::byte> bytes_;
    std::vector<std::pair<Handle, std::uint32_t>> trailing_;  // places in the lists of trailing stops, by handle
};

}  // namespace lowlat
