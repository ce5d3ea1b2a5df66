// The data of an engine: its books, the pool of their orders, the index by id, and the trade tape.
#pragma once

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/crossed_levels.hpp"
#include "engine/native/matching/depth_entries.hpp"
#include "engine/native/matching/expiry_heap.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_chain.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/progress.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/matching/store_memory.hpp"
#include "engine/native/matching/trade_tape.hpp"
#include "engine/native/matching/trailing_stops.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Adds and removes orders and levels; the paths of commands, Matcher and FullPath, and of a feed's events,
/// BookBuilder, decide which and why.
///
/// Its operations maintain these invariants: a level sums the orders queued at it; an id finds its live order; the
/// expiry heap holds every order with an expiry; a book counts the orders that a simple command must consider.
class OrderStore {
  public:
    explicit OrderStore(const EngineConfig& settings)
        : symbols_(static_cast<std::uint32_t>(settings.symbols.size())),
          orders_max_(settings.orders),
          when_orders_dry_(settings.when_orders_dry),
          when_trades_dry_(settings.when_trades_dry) {
        memory_.add_books(settings, books_);
        memory_.make_orders(settings, nodes_, attributes_, expiries_, index_);
        set_resident(rejects_when_full() ? orders_max_ : StoreMemory::orders_before_steps(orders_max_));
        memory_.make_tape(settings, tape_);
        crossed_.bids.reserve(crossed_at_first);
        crossed_.asks.reserve(crossed_at_first);
    }
    OrderStore(const OrderStore&) = delete;
    OrderStore& operator=(const OrderStore&) = delete;

    void reset() {
        nodes_.reset();
        index_.reset();
        tape_.reset();
        attributes_.reset();
        expiries_.reset();
        for (Book& book : books_) book.reset();
        clock_ = 0;
        live_ = 0;
        sequence_ = trades_ = 0;
        order_refusals_ = trade_refusals_ = 0;
    }

    // -- queries --------------------------------------------------------------------------------------------------

    /// Call `visit(LevelRow)` for levels of a side, best first, until it returns false.
    template <typename Visit>
    void for_each_level(std::uint32_t symbol, Side side, Visit visit) const {
        const Book& book = books_[symbol];
        book.ladders[side].for_each([&](std::int64_t key, Handle handle) {
            const LevelBody& level = nodes_[handle].level;
            return visit(LevelRow{book.price_of(side, key), level.quantity, level.order_count, 0});
        });
    }

    /// The level at a price, a multiple of the symbol's tick; a quantity of 0 if there is none.
    LOWLAT_INLINE LevelRow level_at(std::uint32_t symbol, Side side, std::int64_t price) const {
        const Book& book = books_[symbol];
        const Handle handle = book.ladders[side].look(book.key_of(side, price));
        if (handle == nil) return {price, 0, 0, 0};
        const LevelBody& level = nodes_[handle].level;
        return {price, level.quantity, level.order_count, 0};
    }

    std::uint32_t symbols() const { return symbols_; }
    std::uint32_t live_orders() const { return live_; }
    std::uint64_t sequence() const { return sequence_; }
    std::uint64_t trades() const { return trades_; }
    std::uint64_t order_refusals() const { return order_refusals_; }
    std::uint64_t trade_refusals() const { return trade_refusals_; }
    std::uint32_t growths() const { return growths_; }
    /// How often a pool could not grow for lack of memory; from then on, results are not reproducible.
    std::uint32_t growth_failures() const { return growth_failures_; }
    const TradeTape& tape() const { return tape_; }
    std::uint64_t drain_tape() { return tape_.drain(); }
    const Nodes& nodes() const { return nodes_; }
    const OrderBody& order(Handle handle) const { return nodes_[handle].order; }
    const LevelBody& level(Handle handle) const { return nodes_[handle].level; }
    /// The attributes of an order that has some.
    const OrderAttributes& attributes(Handle handle) const { return attributes_[order(handle).attributes_handle]; }
    const Pool<OrderAttributes>& attributes() const { return attributes_; }
    const ExpiryHeap& expiries() const { return expiries_; }
    std::uint64_t clock() const { return clock_; }
    const OrderIndex& index() const { return index_; }
    const std::vector<Book>& books() const { return books_; }
    std::uint32_t orders_max() const { return orders_max_; }

    /// Call `visit(part, region)` for all memory taken from the system.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        memory_.for_each_region(visit);
    }

    /// The live order of this id, or nil.
    LOWLAT_INLINE Handle find(std::uint64_t id, std::uint32_t symbol, Handle first) const {
        const auto is = [&](Handle handle) {
            return nodes_[handle].order.id == id && nodes_[handle].order.symbol == symbol;
        };
        return OrderIndex::find(first, is, OrderChain{nodes_, attributes_});
    }
    LOWLAT_INLINE Handle find(std::uint64_t id, std::uint32_t symbol) const {
        return find(id, symbol, index_.first(index_.home(id, symbol)));
    }

    static bool all_or_none(const OrderBody& order) { return (order.attributes & attribute_all_or_none) != 0; }
    /// An iceberg's hidden quantity; 0 for any other order.
    std::uint32_t reserve_quantity(const OrderBody& order) const {
        return (order.attributes & attribute_iceberg) != 0 ? attributes_[order.attributes_handle].reserve_quantity : 0;
    }

    /// Call `visit(order)` for every order of a ladder: best level first, oldest first within a level.
    template <typename Visit>
    void for_each_queued(const Ladder& ladder, Visit visit) const {
        ladder.for_each([&](std::int64_t, Handle level) {
            for (Handle at = nodes_[level].next; at != level; at = nodes_[at].next) visit(at);
            return true;
        });
    }

    template <typename Visit>
    void for_each_trailing(const Book& book, Side side, Visit visit) const {
        TrailingStops::for_each(nodes_, attributes_, book, side, [&](const TrailingStop& stop) { visit(stop.handle); });
    }

    /// An order's limit; 0 for a stop that becomes a market order.
    LOWLAT_INLINE std::int64_t limit_of(const Book& book, Handle handle) const {
        const OrderBody& order = nodes_[handle].order;
        if ((order.attributes & attribute_waits) == 0) return book.price_of(order.side, nodes_[order.level].level.key);
        const OrderAttributes& attributes = attributes_[order.attributes_handle];
        return attributes.kind == CommandType::stop_limit ? attributes.price : 0;
    }

    bool tape_rejects() const { return when_trades_dry_ == PoolPolicy::reject; }
    /// Whether a command may add that many records to the tape: always, unless the tape refuses when full.
    bool tape_takes(std::uint64_t records) const { return !tape_rejects() || records <= tape_.room(); }
    bool tape_grows() const { return when_trades_dry_ == PoolPolicy::grow; }
    bool full() const { return live_ == orders_max_; }
    bool rejects_when_full() const { return when_orders_dry_ == PoolPolicy::reject; }

    /// The next order to expire, if it is due; else nil.
    Handle next_expired() const {
        return expiries_.size() != 0 && expiries_.top().expiry <= clock_ ? expiries_.top().order : nil;
    }

    // -- operations on orders ---------------------------------------------------------------------------------------
    //
    // Life cycle of an order: add; add_attributes and schedule_expiry if it has any; enqueue; list, in the index by id;
    // dequeue and enqueue as it moves, live all the while; finally dequeue and release.

    Book& book(std::uint32_t symbol) { return books_[symbol]; }

    /// Add a live order, not queued yet.
    LOWLAT_INLINE Handle add(Book& book, const OrderBody& order) {
        if (unlikely(live_ == resident_)) extend_orders();
        const Handle handle = nodes_.acquire();
        nodes_[handle].order = order;
        count_restrictions(book, order, 1);
        ++live_;
        return handle;
    }

    /// Allocate an order's attributes; the caller sets every field.
    LOWLAT_INLINE OrderAttributes& add_attributes(Handle handle) {
        if (unlikely(attributes_.exhausted())) memory_.extend_attributes(attributes_);
        OrderBody& order = nodes_[handle].order;
        order.attributes_handle = attributes_.acquire();
        order.attributes |= attribute_kept;
        return attributes_of(handle);
    }

    /// Schedule the expiry of a good-till-date order, as in its attributes.
    LOWLAT_INLINE void schedule_expiry(Handle handle) {
        expiries_.push(attributes_, handle, nodes_[handle].order.attributes_handle);
    }

    LOWLAT_INLINE void list(Handle handle) {
        if (!index_.insert(home(nodes_[handle].order), handle, chain())) rebuild_index();
    }

    /// Append an order to the queue at `key`.
    LOWLAT_INLINE void enqueue(Ladder& ladder, std::int64_t key, Handle handle) {
        Handle level = ladder.find(key);
        if (level == nil) {
            level = nodes_.acquire();
            nodes_[level].next = level;
            nodes_[level].prev = level;
            nodes_[level].level = {key, 0, 0, nil};
            ladder.insert(key, level, nodes_[level].level.leaf);
        }
        OrderBody& order = nodes_[handle].order;
        order.level = level;
        link_last(nodes_, level, handle);
        LevelBody& body = nodes_[level].level;
        body.quantity += order.quantity;
        ++body.order_count;
    }

    LOWLAT_INLINE void dequeue(Ladder& ladder, Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        LevelBody& level = nodes_[order.level].level;
        unlink(nodes_, handle);
        level.quantity -= order.quantity;
        if (--level.order_count == 0) drop_level(ladder, order.level);
    }

    LOWLAT_INLINE void release(Book& book, Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        count_restrictions(book, order, -1);
        index_.erase(home(order), handle, chain());
        release_attributes(handle);
        nodes_.release(handle);
        --live_;
    }

    /// Set the remaining quantity of an order that is not queued; an iceberg displays at most a slice of it.
    LOWLAT_INLINE void set_quantity(Handle handle, std::uint32_t quantity) {
        OrderBody& order = nodes_[handle].order;
        order.quantity = quantity;
        if ((order.attributes & attribute_iceberg) == 0) return;
        OrderAttributes& iceberg = attributes_[order.attributes_handle];
        order.quantity = std::min(quantity, iceberg.display_quantity);
        iceberg.reserve_quantity = quantity - order.quantity;
    }

    /// Reduce the displayed quantity of a queued order.
    LOWLAT_INLINE void reduce_shown(Handle handle, std::uint32_t quantity) {
        OrderBody& order = nodes_[handle].order;
        order.quantity -= quantity;
        nodes_[order.level].level.quantity -= quantity;
    }

    void set_hidden(Handle handle, std::uint32_t quantity) { attributes_of(handle).reserve_quantity = quantity; }

    /// Show the next slice of an iceberg that displays nothing, at the back of its queue.
    void refill(Handle handle) {
        OrderBody& order = nodes_[handle].order;
        OrderAttributes& iceberg = attributes_[order.attributes_handle];
        order.quantity = std::min(iceberg.reserve_quantity, iceberg.display_quantity);
        iceberg.reserve_quantity -= order.quantity;
        unlink(nodes_, handle);
        link_last(nodes_, order.level, handle);
        nodes_[order.level].level.quantity += order.quantity;
    }

    TrailingStops trailing(Book& book, Side side) { return {nodes_, attributes_, book, side}; }
    void set_anchor(Handle handle, std::int64_t price) { attributes_of(handle).anchor = price; }

    /// Turn a stop that is not queued into an ordinary order.
    void end_waiting(Book& book, Handle handle) {
        OrderBody& order = nodes_[handle].order;
        count_restrictions(book, order, -1);
        order.attributes = static_cast<std::uint8_t>(order.attributes & ~attribute_waits);
        count_restrictions(book, order, 1);
    }

    /// Append an order to the list of due stops.
    void append(Book::List& list, Handle handle) {
        attributes_of(handle).next = nil;
        (list.last == nil ? list.first : attributes_of(list.last).next) = handle;
        list.last = handle;
    }

    void remove_first(Book::List& list) {
        list.first = attributes_of(list.first).next;
        if (list.first == nil) list.last = nil;
    }

    // -- operations on the whole store ------------------------------------------------------------------------------

    /// Record one execution on the tape. Returns its number.
    LOWLAT_INLINE std::uint64_t record(const Trade& trade) {
        if (unlikely(tape_.full() && when_trades_dry_ == PoolPolicy::grow)) grow_tape();
        tape_.acquire() = trade;
        return ++trades_;
    }

    LOWLAT_INLINE void count_refusal(Reason reason) {
        if (reason == Reason::order_pool_full) ++order_refusals_;
        if (reason == Reason::trade_pool_full) ++trade_refusals_;
    }

    void advance_time(std::uint64_t clock) { clock_ = clock; }
    /// The levels collected by an auction; their memory is reused by the next.
    CrossedLevels& crossed_levels() { return crossed_; }
    DepthEntries& depth_entries() { return depth_entries_; }

    /// Double the order pool; what it has more comes into use by extend_orders(). False, with nothing changed, if
    /// memory or handles run out.
    LOWLAT_COLD bool grow_orders() {
        if (orders_max_ > EngineConfig::orders_limit / 2) return false;
        while (resident_ != orders_max_) extend_orders();
        try {
            memory_.grow_orders(2 * orders_max_, nodes_, attributes_, expiries_, index_);
        } catch (const std::bad_alloc&) {
            ++growth_failures_;
            return false;
        }
        orders_max_ *= 2;
        ++growths_;
        return true;
    }

    /// Grow the tape to at least this many trades. Throws std::bad_alloc.
    void reserve_tape(std::uint64_t trades) {
        if (tape_.capacity() < trades) memory_.grow_tape(trades, tape_);
    }

    Progress progress() const {
        return {.sequence = sequence_,
                .trades = trades_,
                .clock = clock_,
                .order_refusals = order_refusals_,
                .trade_refusals = trade_refusals_,
                .tape_recycled = tape_.recycled(),
                .growths = growths_};
    }

    /// Continue from the counters of another engine.
    void resume(const Progress& from) {
        sequence_ = from.sequence;
        trades_ = from.trades;
        clock_ = from.clock;
        order_refusals_ = from.order_refusals;
        trade_refusals_ = from.trade_refusals;
        tape_.note_recycled(from.tape_recycled);
        growths_ = from.growths;
    }

  protected:
    // The simple path (Matcher) works on the members themselves.

    /// Release an order's attributes, if any.
    LOWLAT_INLINE void release_attributes(Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        if (!has_attributes(order)) return;
        if ((order.attributes & attribute_gtd) != 0) expiries_.erase(attributes_, order.attributes_handle);
        attributes_.release(order.attributes_handle);
    }

    LOWLAT_INLINE OrderChain<Nodes, Pool<OrderAttributes>> chain() { return {nodes_, attributes_}; }

    LOWLAT_INLINE void drop_level(Ladder& ladder, Handle level) {
        ladder.erase(nodes_[level].level.key, level, nodes_[level].level.leaf);
        nodes_.release(level);
    }

    /// Bring nodes and slots for a few more orders into use, so that no command waits long for a growth.
    LOWLAT_COLD void extend_orders() {
        const auto home_of = [this](Handle at) { return home(nodes_[at].order); };
        set_resident(memory_.extend_orders(resident_, orders_max_, index_, home_of, chain()));
    }

    LOWLAT_COLD void rebuild_index() {
        index_.rehash();
        fill_index();
    }

  private:
    OrderAttributes& attributes_of(Handle handle) { return attributes_[nodes_[handle].order.attributes_handle]; }
    OrderIndex::Home home(const OrderBody& order) const { return index_.home(order.id, order.symbol); }

    /// Count one more or one less order that commands without attributes must consider.
    LOWLAT_INLINE static void count_restrictions(Book& book, const OrderBody& order, std::int32_t more) {
        if ((order.attributes & attributes_met) == 0) return;
        book.note(more);
        if ((order.attributes & attribute_all_or_none) != 0)
            book.all_or_none[order.side] += static_cast<std::uint32_t>(more);
    }

    void set_resident(std::uint32_t orders) {
        resident_ = orders;
        live_unchecked_ = when_trades_dry_ == PoolPolicy::reject ? 0 : orders;
    }

    /// Levels of a side that an auction can cross without allocating.
    static constexpr std::size_t crossed_at_first = 1'024;

    /// Double the tape; without memory for that it keeps its size and overwrites its oldest records.
    LOWLAT_COLD void grow_tape() {
        try {
            memory_.grow_tape(tape_.capacity() * 2, tape_);
            ++growths_;
        } catch (const std::bad_alloc&) {
            ++growth_failures_;
            when_trades_dry_ = PoolPolicy::recycle;
        }
    }

    void fill_index() {
        const auto put_in = [this](Handle at) { index_.insert(home(nodes_[at].order), at, chain()); };
        for (const Book& book : books_) {
            for (const Ladder* queue : book.queues()) for_each_queued(*queue, put_in);
            for (const Side side : both_sides) for_each_trailing(book, side, put_in);
            for (Handle at = book.due.first; at != nil; at = attributes_[nodes_[at].order.attributes_handle].next)
                put_in(at);
        }
    }

  protected:
    // Declared before the members that use this memory.
    StoreMemory memory_;

    Nodes nodes_;
    Pool<OrderAttributes> attributes_;
    ExpiryHeap expiries_;
    std::uint64_t clock_ = 0;
    CrossedLevels crossed_;
    DepthEntries depth_entries_;
    OrderIndex index_;
    std::vector<Book> books_;
    TradeTape tape_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
    std::uint32_t live_ = 0;
    std::uint32_t resident_ = 0;        // orders whose nodes and slots are in use, if not more are
    std::uint32_t live_unchecked_ = 0;  // while fewer orders are live, no pool can be exhausted
    std::uint32_t symbols_;

    std::uint32_t orders_max_;
    PoolPolicy when_orders_dry_;
    PoolPolicy when_trades_dry_;
    std::uint64_t order_refusals_ = 0;
    std::uint64_t trade_refusals_ = 0;
    std::uint32_t growths_ = 0;
    std::uint32_t growth_failures_ = 0;
};

}  // namespace lowlat
