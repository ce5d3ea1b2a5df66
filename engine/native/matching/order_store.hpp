// What an engine holds: its books, the pool of their orders, the index by id, the tape, and the memory under them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/crossed_levels.hpp"
#include "engine/native/matching/expiry_heap.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/sparse_levels.hpp"
#include "engine/native/matching/trade_tape.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/locked_region.hpp"

namespace lowlat {

template <typename Sink>
class TermsBase;
template <typename Sink>
class TermsStops;
template <typename Sink>
class TermsMatching;
template <typename Sink>
class TermsAuction;
template <typename Sink>
class TermsPath;
class Snapshot;

/// Orders and levels come and go here; which, and why, is decided by the paths of commands: Matcher and TermsPath.
class Store {
  public:
    explicit Store(const EngineConfig& settings)
        : rules_(settings.symbols),
          orders_max_(settings.orders),
          when_orders_dry_(settings.when_orders_dry),
          when_trades_dry_(settings.when_trades_dry),
          places_(settings.window_places()),
          stop_places_(settings.stop_places()) {
        take_nodes(orders_max_);
        take_far(orders_max_);
        take_tape(settings.trades);
        take_books();
        crossed_.bids.reserve(crossed_at_first);
        crossed_.asks.reserve(crossed_at_first);
    }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    void reset() {
        nodes_.reset();
        index_.reset();
        tape_.reset();
        terms_.reset();
        expiries_.reset();
        for (Book& book : books_) book.reset();
        clock_ = 0;
        live_ = 0;
        sequence_ = 0;
        trades_ = 0;
        order_refusals_ = 0;
        trade_refusals_ = 0;
    }

    // -- queries --------------------------------------------------------------------------------------------------

    /// Call `visit(LevelRow)` for levels of a side, best first, until it returns false.
    template <typename Visit>
    void for_each_level(std::uint32_t symbol, std::uint32_t side, Visit visit) const {
        const Book& book = books_[symbol];
        book.ladders[side].for_each([&](std::int64_t key, Handle handle) {
            const LevelBody& level = nodes_[handle].level;
            return visit(LevelRow{price_of(book, side, key), level.quantity, level.order_count, 0});
        });
    }

    /// What stands at a price, a multiple of the symbol's tick; a quantity of 0 where nothing does.
    LOWLAT_INLINE LevelRow level_at(std::uint32_t symbol, std::uint32_t side, std::int64_t price) const {
        const Book& book = books_[symbol];
        const Handle handle = book.ladders[side].look(key_of(book, side, price));
        if (handle == nil) return {price, 0, 0, 0};
        const LevelBody& level = nodes_[handle].level;
        return {price, level.quantity, level.order_count, 0};
    }

    /// The price at which an order rests, if it does.
    LOWLAT_INLINE std::optional<std::int64_t> price_of_order(std::uint64_t id, std::uint32_t symbol) const {
        if (symbol >= symbols_) return std::nullopt;
        const Handle handle = find(id, symbol, index_.tag(id, symbol));
        if (handle == nil || (nodes_[handle].order.terms & term_waits) != 0) return std::nullopt;
        const OrderBody& order = nodes_[handle].order;
        return price_of(books_[symbol], order.side, nodes_[order.level].level.key);
    }

    /// Call `visit(OrderRow)` for every resting order: bids best first, then asks, oldest first within a level.
    template <typename Visit>
    void for_each_order(std::uint32_t symbol, Visit visit) const {
        const Book& book = books_[symbol];
        for (const Ladder& ladder : book.ladders) {
            for_each_queued(ladder, [&](Handle at) {
                const OrderBody& order = nodes_[at].order;
                visit(OrderRow{.order_id = order.id,
                               .price = limit_of(book, at),
                               .quantity = order.quantity,
                               .symbol = order.symbol,
                               .side = order.side,
                               .flags = all_or_none(order) ? flag_all_or_none : std::uint8_t{0},
                               .zero = 0,
                               .reserve_quantity = reserve_quantity(order)});
            });
        }
    }

    /// Call `visit(StopRow)` for every stop that waits: buys, then sells, as a price moving their way meets them.
    template <typename Visit>
    void for_each_stop(std::uint32_t symbol, Visit visit) const {
        const Book& book = books_[symbol];
        for (const Ladder& ladder : book.stops) {
            for_each_queued(ladder, [&](Handle at) {
                const OrderBody& order = nodes_[at].order;
                visit(StopRow{.order_id = order.id,
                              .price = limit_of(book, at),
                              .trigger = price_of(book, order.side ^ 1, nodes_[order.level].level.key),
                              .quantity = order.quantity,
                              .symbol = order.symbol,
                              .kind = terms_[order.kept].kind,
                              .side = order.side,
                              .zero = {}});
            });
        }
    }

    /// What takes part in an uncross at a level: whole icebergs, and no all-or-none orders.
    std::uint64_t auctioned(Handle level) const {
        std::uint64_t quantity = 0;
        for (Handle at = nodes_[level].next; at != level; at = nodes_[at].next) {
            const OrderBody& order = nodes_[at].order;
            if (!all_or_none(order)) quantity += order.quantity + std::uint64_t{reserve_quantity(order)};
        }
        return quantity;
    }

    std::uint32_t symbols() const { return symbols_; }
    std::uint32_t live_orders() const { return live_; }
    std::uint64_t sequence() const { return sequence_; }
    std::uint64_t trades() const { return trades_; }
    std::uint64_t order_refusals() const { return order_refusals_; }
    std::uint64_t trade_refusals() const { return trade_refusals_; }
    std::uint32_t growths() const { return growths_; }
    /// Times that the system had no memory for a pool to grow: what was done since depends on the moment.
    std::uint32_t growth_failures() const { return growth_failures_; }
    const Tape& tape() const { return tape_; }
    std::uint64_t drain_tape() { return tape_.drain(); }
    const Nodes& nodes() const { return nodes_; }
    const Pool<OrderTerms>& terms() const { return terms_; }
    const Expiries& expiries() const { return expiries_; }
    std::uint64_t clock() const { return clock_; }
    const IdIndex& index() const { return index_; }
    const std::vector<Book>& books() const { return books_; }
    std::uint32_t orders_max() const { return orders_max_; }

    /// Call `visit(part, region)` for all memory it took from the system.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        visit("orders, levels and id index", node_region_);
        visit("trade tape", tape_region_);
        visit("price windows", book_region_);
        for (const Region& region : far_regions_) visit("levels outside the windows", region);
    }

    /// The live order of this id, or nil.
    LOWLAT_INLINE Handle find(std::uint64_t id, std::uint32_t symbol, std::uint32_t tag) const {
        return index_.find(tag, [&](Handle handle) {
            const OrderBody& order = nodes_[handle].order;
            return order.id == id && order.symbol == symbol;
        });
    }

    static LOWLAT_INLINE std::int64_t mirror(std::uint32_t side) { return std::int64_t{side} - 1; }
    /// The key of a price on a side's ladder (see ladder.hpp).
    static LOWLAT_INLINE std::int64_t key_of(const Book& book, std::uint32_t side, std::int64_t price) {
        return book.divider.ticks(price) ^ mirror(side);
    }
    static LOWLAT_INLINE std::int64_t price_of(const Book& book, std::uint32_t side, std::int64_t key) {
        return (key ^ mirror(side)) * book.rules.tick;
    }

    static bool all_or_none(const OrderBody& order) { return (order.terms & term_all_or_none) != 0; }
    /// What an iceberg has behind its slice; 0 of any other order.
    std::uint32_t reserve_quantity(const OrderBody& order) const {
        return (order.terms & term_iceberg) != 0 ? terms_[order.kept].reserve_quantity : 0;
    }

  protected:
    template <typename Sink>
    friend class TermsBase;
    template <typename Sink>
    friend class TermsStops;
    template <typename Sink>
    friend class TermsMatching;
    template <typename Sink>
    friend class TermsAuction;
    template <typename Sink>
    friend class TermsPath;
    friend class Snapshot;

    static constexpr std::int64_t any_key = std::numeric_limits<std::int64_t>::max();

    /// Call `visit(order)` for every order of a ladder: best level first, oldest first within a level.
    template <typename Visit>
    void for_each_queued(const Ladder& ladder, Visit visit) const {
        ladder.for_each([&](std::int64_t, Handle level) {
            for (Handle at = nodes_[level].next; at != level; at = nodes_[at].next) visit(at);
            return true;
        });
    }

    /// An order's limit; 0 of a stop that becomes a market order.
    std::int64_t limit_of(const Book& book, Handle handle) const {
        const OrderBody& order = nodes_[handle].order;
        if ((order.terms & term_waits) == 0) return price_of(book, order.side, nodes_[order.level].level.key);
        const OrderTerms& terms = terms_[order.kept];
        return terms.kind == CommandType::stop_limit ? terms.price : 0;
    }

    /// Put an order at the back of the queue at `key`.
    LOWLAT_INLINE void queue_up(Book& book, std::uint32_t side, std::int64_t key, Handle handle) {
        queue_up(book.ladders[side], key, handle);
    }

    LOWLAT_INLINE void queue_up(Ladder& ladder, std::int64_t key, Handle handle) {
        Handle level = ladder.find(key);
        if (level == nil) {
            level = nodes_.acquire();
            nodes_[level].next = level;
            nodes_[level].prev = level;
            nodes_[level].level = {key, 0, 0, 0};
            ladder.insert(key, level);
        }
        OrderBody& order = nodes_[handle].order;
        order.level = level;
        link_last(nodes_, level, handle);
        LevelBody& body = nodes_[level].level;
        body.quantity += order.quantity;
        ++body.order_count;
    }

    /// Take a live order out of its queue; its node stays the caller's.
    LOWLAT_INLINE void take_out(Book& book, Handle handle) {
        take_out(book.ladders[nodes_[handle].order.side], handle);
    }

    LOWLAT_INLINE void take_out(Ladder& ladder, Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        LevelBody& level = nodes_[order.level].level;
        unlink(nodes_, handle);
        level.quantity -= order.quantity;
        if (--level.order_count == 0) drop_level(ladder, order.level);
    }

    /// What an order kept apart, if anything, is free again.
    void release_terms(Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        if (order.kept == nil) return;
        if ((order.terms & term_gtd) != 0) expiries_.erase(terms_, order.kept);
        terms_.release(order.kept);
    }

    /// One execution on the tape.
    LOWLAT_INLINE void record(const Trade& trade) {
        if (unlikely(tape_.full() && when_trades_dry_ == PoolPolicy::grow)) grow_tape();
        tape_.acquire() = trade;
    }

    LOWLAT_INLINE void drop_level(Ladder& ladder, Handle level) {
        ladder.erase(nodes_[level].level.key, level);
        nodes_.release(level);
    }

    // -- memory -----------------------------------------------------------------------------------------------------

    /// Nodes for so many orders (and as many levels), their terms, and their index.
    void take_nodes(std::uint32_t orders) {
        const std::uint32_t capacity = 2 * orders;
        const std::uint64_t slots = IdIndex::slots_for(orders);
        retired_.reserve(retired_.size() + 1);  // whatever can throw comes before the first change
        Region region(Region::room_for<Node>(capacity + 1) + Region::room_for<IdIndex::Slot>(slots) +
                      Region::room_for<OrderTerms>(orders + 1) + Region::room_for<Expiries::Entry>(orders));
        Node* nodes = region.take<Node>(capacity + 1);
        index_ = IdIndex(region.take<IdIndex::Slot>(slots), slots, index_.seed());
        if (nodes_.data() != nullptr) std::copy_n(nodes_.data(), nodes_.high_water() + 1, nodes);
        nodes_.move_to(nodes, capacity);
        auto* terms = region.take<OrderTerms>(orders + 1);
        if (terms_.data() != nullptr) std::copy_n(terms_.data(), terms_.high_water() + 1, terms);
        terms_.move_to(terms, orders);
        auto* heap = region.take<Expiries::Entry>(orders);
        if (expiries_.size() != 0) std::copy_n(expiries_.data(), expiries_.size(), heap);
        expiries_.move_to(heap);
        live_unchecked_ = when_trades_dry_ == PoolPolicy::refuse ? 0 : orders;
        if (node_region_.bytes() != 0) retired_.push_back(std::move(node_region_));
        node_region_ = std::move(region);
    }

    /// Room for so many more levels outside the ladders' windows. Never given back: maps point into it.
    void take_far(std::uint32_t levels) {
        far_regions_.reserve(far_regions_.size() + 1);
        Region region(Region::room_for<FarRoom::Slot>(levels));
        far_room_.add(region.take<FarRoom::Slot>(levels), levels);
        far_regions_.push_back(std::move(region));
    }

    void take_tape(std::uint64_t trades) {
        Region region(Region::room_for<Trade>(trades));
        tape_.move_to(region.take<Trade>(trades), trades);
        tape_region_ = std::move(region);
    }

    void take_books() {
        const auto room = [](std::uint32_t places) {
            return Region::room_for<Handle>(places) + Region::room_for<std::uint64_t>(Occupancy::words(places));
        };
        Region region(rules_.size() * 2 * (room(places_) + room(stop_places_)));
        const auto ladder = [&](std::uint32_t places) {
            Handle* window = region.take<Handle>(places);
            return Ladder(window, region.take<std::uint64_t>(Occupancy::words(places)), places, &far_room_);
        };
        books_.reserve(rules_.size());
        symbols_ = static_cast<std::uint32_t>(rules_.size());
        for (const SymbolRules& rules : rules_) {
            books_.emplace_back(rules, ladder(places_), ladder(places_), ladder(stop_places_), ladder(stop_places_));
        }
        book_region_ = std::move(region);
    }

    /// Orders and their levels are named by 32-bit handles, of which one is nil and one marks free nodes.
    static constexpr std::uint32_t orders_limit = std::uint32_t{1} << 30;

    /// Levels of a side that an auction may cross before it takes memory.
    static constexpr std::size_t crossed_at_first = 1'024;

    /// Twice the orders. False when the system has not that much memory, or handles run out: then nothing has changed.
    LOWLAT_COLD bool grow_orders() {
        if (orders_max_ > orders_limit / 2) return false;
        try {
            take_far(orders_max_);
            take_nodes(2 * orders_max_);
        } catch (const std::bad_alloc&) {
            ++growth_failures_;
            return false;
        }
        orders_max_ *= 2;
        ++growths_;
        fill_index();
        return true;
    }

    /// Twice the tape; without memory for it the tape goes on as it is, over its oldest records.
    LOWLAT_COLD void grow_tape() {
        try {
            take_tape(tape_.capacity() * 2);
            ++growths_;
        } catch (const std::bad_alloc&) {
            ++growth_failures_;
            when_trades_dry_ = PoolPolicy::recycle;
        }
    }

    LOWLAT_COLD void rebuild_index() {
        index_.rehash();
        index_.clear();
        fill_index();
    }

    void fill_index() {
        const auto put_in = [this](Handle at) {
            const OrderBody& order = nodes_[at].order;
            index_.insert(index_.tag(order.id, order.symbol), at);
        };
        for (const Book& book : books_) {
            for (const Ladder* queue : book.queues()) for_each_queued(*queue, put_in);
            for (Handle at = book.due.first; at != nil; at = terms_[nodes_[at].order.kept].next) put_in(at);
        }
    }

    // The books' far maps lie in this memory, so it is declared before them and outlives them.
    std::vector<Region> far_regions_;
    FarRoom far_room_;

    Nodes nodes_;
    Pool<OrderTerms> terms_;
    Expiries expiries_;
    std::uint64_t clock_ = 0;
    CrossedLevels crossed_;
    IdIndex index_;
    std::vector<Book> books_;
    Tape tape_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
    std::uint32_t live_ = 0;
    std::uint32_t live_unchecked_ = 0;  // while fewer orders are live, no pool can run dry
    std::uint32_t symbols_ = 0;

    std::vector<SymbolRules> rules_;
    std::uint32_t orders_max_;
    PoolPolicy when_orders_dry_;
    PoolPolicy when_trades_dry_;
    std::uint32_t places_;
    std::uint32_t stop_places_;
    Region node_region_;
    std::vector<Region> retired_;  // the old index, into which commands of the batch under way may still look ahead
    Region tape_region_;
    Region book_region_;
    std::uint64_t order_refusals_ = 0;
    std::uint64_t trade_refusals_ = 0;
    std::uint32_t growths_ = 0;
    std::uint32_t growth_failures_ = 0;
};

}  // namespace lowlat
