// The matching engine. What every command does is stated in engine/reference.py; this does the same, fast.
//
// This file is longer than its neighbours because the path of a command is kept in one place: execute() to the
// events it emits. What it stands on has a header each: node, pool, id_index, ladder, tape, sinks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "engine/native/book.hpp"
#include "engine/native/far_levels.hpp"
#include "engine/native/hints.hpp"
#include "engine/native/id_index.hpp"
#include "engine/native/ladder.hpp"
#include "engine/native/memory.hpp"
#include "engine/native/node.hpp"
#include "engine/native/records.hpp"
#include "engine/native/settings.hpp"
#include "engine/native/tape.hpp"
#include "engine/native/terms.hpp"

namespace lowlat {

class Matcher;

/// Walk everything and abort on the first rule that does not hold (invariants.cpp).
void check_invariants(const Matcher& matcher);

class Matcher {
  public:
    explicit Matcher(const Settings& settings)
        : rules_(settings.symbols),
          orders_max_(settings.orders),
          when_orders_dry_(settings.when_orders_dry),
          when_trades_dry_(settings.when_trades_dry),
          places_(settings.window_places()) {
        take_nodes(orders_max_);
        take_far(orders_max_);
        take_tape(settings.trades);
        take_books();
    }
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;

    /// Execute one command; its events go to `sink`.
    template <typename Sink>
    LOWLAT_INLINE void execute(const Command& command, Sink& sink) {
        if (unlikely(command.symbol >= symbols_)) {
            reject_unknown_symbol(command, sink);
        } else {
            dispatch(command, books_[command.symbol], sink);
        }
        ++sequence_;
#if defined(LOWLAT_CHECKED)
        // Every command while the book is small; a large book costs too much to walk each time.
        if (live_ <= 64 || sequence_ % 4096 == 0) check_invariants(*this);
#endif
    }

    /// Execute commands in order. While one is executed, what later ones will touch is fetched: nothing but time
    /// depends on it.
    template <typename Sink>
    void execute_all(const Command* commands, std::uint64_t count, Sink& sink) {
        retired_.clear();
        Ahead ahead[fetch_slot];
        const std::uint64_t lead = std::min(count, fetch_slot);
        for (std::uint64_t at = 0; at < lead; ++at) ahead[at] = look_ahead(commands[at]);
        for (std::uint64_t at = 0; at < count; ++at) {
            if (likely(at + fetch_slot < count)) {
                fetch_neighbours_of(ahead[(at + fetch_neighbours) % fetch_slot]);
                fetch_node_of(ahead[(at + fetch_node) % fetch_slot]);
                ahead[at % fetch_slot] = look_ahead(commands[at + fetch_slot]);
            }
            execute(commands[at], sink);
        }
    }

    /// Events that these commands can give at most: each trade ends a resting order or its command, and takes a lot.
    std::uint64_t events_at_most(const Command* commands, std::uint64_t count) const {
        constexpr std::uint64_t few = 256;
        std::uint64_t trades = live_;
        if (count <= few) {
            std::uint64_t lots = 0;
            for (std::uint64_t at = 0; at < count; ++at)
                lots += static_cast<std::uint64_t>(std::clamp<std::int64_t>(commands[at].quantity, 0, quantity_max));
            trades = std::min(trades, lots);
        }
        return 3 * count + trades;
    }

    void reset() {
        nodes_.reset();
        index_.reset();
        tape_.reset();
        for (Book& book : books_)
            for (Ladder& ladder : book.ladders) ladder.reset();
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
            return visit(LevelRow{price_of(book, side, key), level.quantity, level.orders, 0});
        });
    }

    /// What stands at a price, a multiple of the symbol's tick; a quantity of 0 where nothing does.
    LOWLAT_INLINE LevelRow level_at(std::uint32_t symbol, std::uint32_t side, std::int64_t price) const {
        const Book& book = books_[symbol];
        const Handle handle = book.ladders[side].look(key_of(book, side, price));
        if (handle == nil) return {price, 0, 0, 0};
        const LevelBody& level = nodes_[handle].level;
        return {price, level.quantity, level.orders, 0};
    }

    /// The price at which an order rests, if it does.
    LOWLAT_INLINE std::optional<std::int64_t> price_of_order(std::uint64_t id, std::uint32_t symbol) const {
        if (symbol >= symbols_) return std::nullopt;
        const Handle handle = find(id, symbol, index_.tag(id, symbol));
        if (handle == nil) return std::nullopt;
        const OrderBody& order = nodes_[handle].order;
        return price_of(books_[symbol], order.side, nodes_[order.level].level.key);
    }

    /// Call `visit(OrderRow)` for every resting order: bids best first, then asks, oldest first within a level.
    template <typename Visit>
    void for_each_order(std::uint32_t symbol, Visit visit) const {
        const Book& book = books_[symbol];
        for (std::uint32_t side = 0; side < 2; ++side) {
            book.ladders[side].for_each([&](std::int64_t key, Handle level) {
                for (Handle at = nodes_[level].next; at != level; at = nodes_[at].next) {
                    const OrderBody& order = nodes_[at].order;
                    visit(OrderRow{order.id, price_of(book, side, key), order.quantity, order.symbol, order.side});
                }
                return true;
            });
        }
    }

    std::uint32_t symbols() const { return symbols_; }
    std::uint32_t live_orders() const { return live_; }
    std::uint64_t sequence() const { return sequence_; }
    std::uint64_t trades() const { return trades_; }
    std::uint64_t order_refusals() const { return order_refusals_; }
    std::uint64_t trade_refusals() const { return trade_refusals_; }
    std::uint32_t growths() const { return growths_; }
    const Tape& tape() const { return tape_; }
    std::uint64_t drain_tape() { return tape_.drain(); }
    const Nodes& nodes() const { return nodes_; }
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

    // -- fetching ahead -------------------------------------------------------------------------------------------

    /// Where a command to come will look first.
    struct Ahead {
        const IdIndex::Slot* slot;
        const Handle* level;
    };

    // Nothing here depends on the command's kind, since a branch on it would be mispredicted once more for each stage.
    // What a command does not need is fetched in vain; where it has no order, the pool's unused node 0 is.

    LOWLAT_INLINE Ahead look_ahead(const Command& command) const {
        const Book& book = books_[command.symbol < symbols_ ? command.symbol : 0];
        const std::uint32_t side = command.side & 1;
        const Ahead ahead{index_.home(index_.tag(command.order_id, command.symbol)),
                          book.ladders[side].slot_of(key_of(book, side, command.price))};
        prefetch(ahead.slot);
        prefetch(ahead.level);
        return ahead;
    }

    LOWLAT_INLINE void fetch_node_of(const Ahead& ahead) const {
        prefetch(nodes_.data() + ahead.slot->handle);
        prefetch(nodes_.data() + *ahead.level);
    }

    LOWLAT_INLINE void fetch_neighbours_of(const Ahead& ahead) const {
        const Node& node = nodes_[ahead.slot->handle];
        prefetch(nodes_.data() + node.prev);
        prefetch(nodes_.data() + node.next);
        prefetch(nodes_.data() + node.order.level);
    }

  private:
    // How many commands ahead each cache line is asked for: the id's slot and the ladder's entry of the price, then
    // the node and the level they name, then the node's neighbours and its level.
    static constexpr std::uint64_t fetch_slot = 16;
    static constexpr std::uint64_t fetch_node = 8;
    static constexpr std::uint64_t fetch_neighbours = 4;

    /// Orders and their levels are named by 32-bit handles, of which one is nil and one marks free nodes.
    static constexpr std::uint32_t orders_limit = std::uint32_t{1} << 30;

    static constexpr std::int64_t any_key = std::numeric_limits<std::int64_t>::max();

    static LOWLAT_INLINE std::int64_t mirror(std::uint32_t side) { return std::int64_t{side} - 1; }
    /// The key of a price on a side's ladder (see ladder.hpp).
    static LOWLAT_INLINE std::int64_t key_of(const Book& book, std::uint32_t side, std::int64_t price) {
        return book.divider.ticks(price) ^ mirror(side);
    }
    static LOWLAT_INLINE std::int64_t price_of(const Book& book, std::uint32_t side, std::int64_t key) {
        return (key ^ mirror(side)) * book.rules.tick;
    }

    // -- the path of a command ------------------------------------------------------------------------------------

    template <typename Sink>
    LOWLAT_INLINE void dispatch(const Command& command, Book& book, Sink& sink) {
        switch (command.kind) {
            case Kind::limit:
            case Kind::market:
                return enter(command, book, sink);
            case Kind::cancel:
                return cancel(command, book, sink);
            case Kind::reduce:
                return reduce(command, book, sink);
            case Kind::replace:
                return replace(command, book, sink);
        }
        reject(command, Reason::unknown_kind, sink);
    }

    template <typename Sink>
    LOWLAT_INLINE void enter(const Command& command, Book& book, Sink& sink) {
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        if (unlikely(!plain(command) || !book.sound(command) || live_ >= live_unchecked_)) {
            const Reason reason = why_not_enter(command, book, tag);
            if (reason != Reason::none) return reject(command, reason, sink);
        } else if (unlikely(find(command.order_id, command.symbol, tag) != nil)) {
            return reject(command, Reason::duplicate_order_id, sink);
        }
        const std::uint32_t side = command.side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        emit(sink, EventKind::accepted, command, side, command.price, quantity, quantity, Reason::none);

        const std::int64_t limit = limit_key(command, book, side);
        std::uint32_t left = quantity;
        if (unlikely(book.ladders[side ^ 1].best_key() <= limit)) {
            left = match(command, book, side, limit, sink);
            if (left == 0) return;
        }
        if (likely(rests(command))) {
            rest(command, book, side, left, tag);
        } else {
            const bool market = command.kind == Kind::market;
            emit(sink, EventKind::cancelled, command, side, command.price, left, 0,
                 market ? Reason::market_remainder : Reason::ioc_remainder);
        }
    }

    template <typename Sink>
    LOWLAT_INLINE void cancel(const Command& command, Book& book, Sink& sink) {
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        const OrderBody order = nodes_[handle].order;
        const std::int64_t key = nodes_[order.level].level.key;
        index_.erase(tag, handle);
        take_out(book, handle);
        nodes_.release(handle);
        --live_;
        emit(sink, EventKind::cancelled, command, order.side, price_of(book, order.side, key), order.quantity, 0,
             Reason::requested);
    }

    template <typename Sink>
    void reduce(const Command& command, Book& book, Sink& sink) {
        if (const Reason reason = why_not_quantity(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        if (unlikely(quantity > order.quantity)) return reject(command, Reason::reduce_exceeds_remaining, sink);
        const std::uint32_t side = order.side;
        const std::uint32_t left = order.quantity - quantity;
        LevelBody& level = nodes_[order.level].level;
        const std::int64_t price = price_of(book, side, level.key);
        if (left != 0) {
            order.quantity = left;
            level.quantity -= quantity;
        } else {
            index_.erase(tag, handle);
            take_out(book, handle);
            nodes_.release(handle);
            --live_;
        }
        emit(sink, EventKind::reduced, command, side, price, quantity, left, Reason::none);
    }

    template <typename Sink>
    void replace(const Command& command, Book& book, Sink& sink) {
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        if (const Reason reason = why_not_terms_of_replace(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        LevelBody& level = nodes_[order.level].level;
        const std::uint32_t side = order.side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        const std::int64_t key = key_of(book, side, command.price);
        if (key == level.key && quantity <= order.quantity) {
            level.quantity -= order.quantity - quantity;
            order.quantity = quantity;
            return emit(sink, EventKind::replaced, command, side, command.price, quantity, quantity, Reason::none);
        }
        if (const Reason reason = why_not_trade(command, book, side); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        emit(sink, EventKind::replaced, command, side, command.price, quantity, quantity, Reason::none);
        take_out(book, handle);
        std::uint32_t left = quantity;
        const std::int64_t limit = limit_key(command, book, side);
        if (unlikely(book.ladders[side ^ 1].best_key() <= limit)) left = match(command, book, side, limit, sink);
        if (left != 0) {
            nodes_[handle].order.quantity = left;
            queue_up(book, side, key, handle);
        } else {
            index_.erase(tag, handle);
            nodes_.release(handle);
            --live_;
        }
    }

    /// Trade against the other side's levels up to key `limit`; what is left of the quantity.
    template <typename Sink>
    std::uint32_t match(const Command& command, Book& book, std::uint32_t side, std::int64_t limit, Sink& sink) {
        Ladder& ladder = book.ladders[side ^ 1];
        auto left = static_cast<std::uint32_t>(command.quantity);
        while (left != 0 && ladder.best() != nil && ladder.best_key() <= limit) {
            const Handle level_handle = ladder.best();
            Node& level = nodes_[level_handle];
            const std::int64_t price = price_of(book, side ^ 1, level.level.key);
            Handle at = level.next;
            do {
                Node& maker = nodes_[at];
                prefetch(&nodes_[maker.next]);
                const std::uint32_t quantity = std::min(left, maker.order.quantity);
                left -= quantity;
                maker.order.quantity -= quantity;
                level.level.quantity -= quantity;
                print(command, side, price, quantity, left, maker.order, sink);
                if (maker.order.quantity != 0) break;
                const Handle next = maker.next;
                index_.erase(index_.tag(maker.order.id, command.symbol), at);
                nodes_.release(at);
                --live_;
                --level.level.orders;
                at = next;
            } while (left != 0 && at != level_handle);
            level.next = at;
            nodes_[at].prev = level_handle;
            if (at == level_handle) drop_level(ladder, level_handle);
        }
        return left;
    }

    template <typename Sink>
    LOWLAT_INLINE void print(const Command& command, std::uint32_t side, std::int64_t price, std::uint32_t quantity,
                             std::uint32_t left, const OrderBody& maker, Sink& sink) {
        if (unlikely(tape_.full() && when_trades_dry_ == WhenDry::grow)) grow_tape();
        tape_.acquire() = {maker.id, command.order_id, price, quantity, command.symbol};
        sink.next() = {.sequence = sequence_,
                       .order_id = command.order_id,
                       .maker_id = maker.id,
                       .price = price,
                       .quantity = quantity,
                       .remaining = left,
                       .maker_remaining = maker.quantity,
                       .symbol = command.symbol,
                       .trade_id = ++trades_,
                       .kind = EventKind::trade,
                       .side = static_cast<std::uint8_t>(side),
                       .reason = Reason::none,
                       .command = command.kind,
                       .zero = 0};
    }

    LOWLAT_INLINE void rest(const Command& command, Book& book, std::uint32_t side, std::uint32_t quantity,
                            std::uint32_t tag) {
        const Handle handle = nodes_.acquire();
        nodes_[handle].order = {command.order_id, quantity, nil, command.symbol, side};
        ++live_;
        queue_up(book, side, key_of(book, side, command.price), handle);
        if (unlikely(!index_.insert(tag, handle))) rebuild_index();
    }

    /// Put an order at the back of the queue at `key`.
    LOWLAT_INLINE void queue_up(Book& book, std::uint32_t side, std::int64_t key, Handle handle) {
        Ladder& ladder = book.ladders[side];
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
        ++body.orders;
    }

    /// Take a live order out of its queue; its node stays the caller's.
    LOWLAT_INLINE void take_out(Book& book, Handle handle) {
        const OrderBody& order = nodes_[handle].order;
        LevelBody& level = nodes_[order.level].level;
        unlink(nodes_, handle);
        level.quantity -= order.quantity;
        if (--level.orders == 0) drop_level(book.ladders[order.side], order.level);
    }

    LOWLAT_INLINE void drop_level(Ladder& ladder, Handle level) {
        ladder.erase(nodes_[level].level.key, level);
        nodes_.release(level);
    }

    // -- what is told ---------------------------------------------------------------------------------------------

    template <typename Sink>
    LOWLAT_INLINE void emit(Sink& sink, EventKind kind, const Command& command, std::uint32_t side, std::int64_t price,
                            std::uint32_t quantity, std::uint32_t remaining, Reason reason) {
        sink.next() = {.sequence = sequence_,
                       .order_id = command.order_id,
                       .maker_id = 0,
                       .price = price,
                       .quantity = quantity,
                       .remaining = remaining,
                       .maker_remaining = 0,
                       .symbol = command.symbol,
                       .trade_id = 0,
                       .kind = kind,
                       .side = static_cast<std::uint8_t>(side),
                       .reason = reason,
                       .command = command.kind,
                       .zero = 0};
    }

    template <typename Sink>
    LOWLAT_COLD void reject(const Command& command, Reason reason, Sink& sink) {
        if (reason == Reason::order_pool_full) ++order_refusals_;
        if (reason == Reason::trade_pool_full) ++trade_refusals_;
        emit(sink, EventKind::rejected, command, command.side, command.price, 0, 0, reason);
    }

    template <typename Sink>
    LOWLAT_COLD void reject_unknown_symbol(const Command& command, Sink& sink) {
        const auto kind = static_cast<std::uint8_t>(command.kind);
        const bool known = kind >= 1 && kind <= static_cast<std::uint8_t>(Kind::replace);
        reject(command, known ? Reason::unknown_symbol : Reason::unknown_kind, sink);
    }

    // -- what is refused: the order of these checks is part of the contract -----------------------------------------

    /// Keys of the other side up to this one trade.
    static LOWLAT_INLINE std::int64_t limit_key(const Command& command, const Book& book, std::uint32_t side) {
        return command.kind == Kind::market ? any_key : key_of(book, side ^ 1, command.price);
    }

    LOWLAT_COLD Reason why_not_enter(const Command& command, Book& book, std::uint32_t tag) {
        if (command.side > 1) return Reason::unknown_side;
        if (command.time_in_force > static_cast<std::uint8_t>(TimeInForce::fok)) return Reason::unknown_time_in_force;
        if (const Reason reason = why_not_terms(command, book); reason != Reason::none) return reason;
        if (command.flags != 0 && !rests(command)) return Reason::post_only_conflict;
        if (find(command.order_id, command.symbol, tag) != nil) return Reason::duplicate_order_id;
        const bool dry = rests(command) && live_ == orders_max_;
        if (dry && when_orders_dry_ == WhenDry::refuse) return Reason::order_pool_full;
        if (command.time_in_force == static_cast<std::uint8_t>(TimeInForce::fok) && !fillable(command, book))
            return Reason::fok_not_fillable;
        if (const Reason reason = why_not_trade(command, book, command.side); reason != Reason::none) return reason;
        return dry && !grow_orders() ? Reason::order_pool_full : Reason::none;
    }

    Reason why_not_trade(const Command& command, const Book& book, std::uint32_t side) const {
        const Ladder& ladder = book.ladders[side ^ 1];
        const std::int64_t limit = limit_key(command, book, side);
        const bool reaches = ladder.best() != nil && ladder.best_key() <= limit;
        if ((command.flags & flag_post_only) != 0 && reaches) return Reason::post_only_would_trade;
        const bool enough = when_trades_dry_ != WhenDry::refuse || tape_.room() >= live_;
        return enough || tape_takes_trades_of(command, ladder, limit) ? Reason::none : Reason::trade_pool_full;
    }

    bool fillable(const Command& command, const Book& book) const {
        const std::uint32_t side = command.side;
        const std::int64_t limit = limit_key(command, book, side);
        std::int64_t left = command.quantity;
        book.ladders[side ^ 1].for_each([&](std::int64_t key, Handle level) {
            if (key > limit) return false;
            left -= static_cast<std::int64_t>(
                std::min<std::uint64_t>(nodes_[level].level.quantity, static_cast<std::uint64_t>(left)));
            return left > 0;
        });
        return left == 0;
    }

    /// Whether the tape has a record for every resting order that the command will meet.
    bool tape_takes_trades_of(const Command& command, const Ladder& ladder, std::int64_t limit) const {
        std::int64_t left = command.quantity;
        std::uint64_t room = tape_.room();
        bool fits = true;
        ladder.for_each([&](std::int64_t key, Handle level) {
            if (key > limit) return false;
            for (Handle at = nodes_[level].next; at != level && left > 0 && fits; at = nodes_[at].next) {
                left -= nodes_[at].order.quantity;
                fits = room-- != 0;
            }
            return left > 0 && fits;
        });
        return fits;
    }

    // -- memory -----------------------------------------------------------------------------------------------------

    /// Nodes for so many orders (and as many levels), and their index.
    void take_nodes(std::uint32_t orders) {
        const std::uint32_t capacity = 2 * orders;
        const std::uint64_t slots = IdIndex::slots_for(orders);
        retired_.reserve(retired_.size() + 1);  // whatever can throw comes before the first change
        Region region(Region::room_for<Node>(capacity + 1) + Region::room_for<IdIndex::Slot>(slots));
        Node* nodes = region.take<Node>(capacity + 1);
        index_ = IdIndex(region.take<IdIndex::Slot>(slots), slots, index_.seed());
        if (nodes_.data() != nullptr) std::copy_n(nodes_.data(), nodes_.high_water() + 1, nodes);
        nodes_.move_to(nodes, capacity);
        live_unchecked_ = when_trades_dry_ == WhenDry::refuse ? 0 : orders;
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
        const std::uint32_t words = Occupancy::words(places_);
        const std::size_t one = Region::room_for<Handle>(places_) + Region::room_for<std::uint64_t>(words);
        Region region(rules_.size() * 2 * one);
        const auto ladder = [&] {
            Handle* window = region.take<Handle>(places_);
            return Ladder(window, region.take<std::uint64_t>(words), places_, &far_room_);
        };
        books_.reserve(rules_.size());
        symbols_ = static_cast<std::uint32_t>(rules_.size());
        for (const Rules& rules : rules_) books_.emplace_back(rules, ladder(), ladder());
        book_region_ = std::move(region);
    }

    /// Twice the orders. False when the system has not that much memory, or handles run out: then nothing has changed.
    LOWLAT_COLD bool grow_orders() {
        if (orders_max_ > orders_limit / 2) return false;
        try {
            take_far(orders_max_);
            take_nodes(2 * orders_max_);
        } catch (const std::bad_alloc&) {
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
            when_trades_dry_ = WhenDry::recycle;
        }
    }

    LOWLAT_COLD void rebuild_index() {
        index_.rehash();
        index_.clear();
        fill_index();
    }

    void fill_index() {
        for (const Book& book : books_) {
            for (const Ladder& ladder : book.ladders) {
                ladder.for_each([&](std::int64_t, Handle level) {
                    for (Handle at = nodes_[level].next; at != level; at = nodes_[at].next) {
                        const OrderBody& order = nodes_[at].order;
                        index_.insert(index_.tag(order.id, order.symbol), at);
                    }
                    return true;
                });
            }
        }
    }

    // The books' far maps lie in this memory, so it is declared before them and outlives them.
    std::vector<Region> far_regions_;
    FarRoom far_room_;

    Nodes nodes_;
    IdIndex index_;
    std::vector<Book> books_;
    Tape tape_;
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
    std::uint32_t live_ = 0;
    std::uint32_t live_unchecked_ = 0;  // while fewer orders are live, no pool can run dry
    std::uint32_t symbols_ = 0;

    std::vector<Rules> rules_;
    std::uint32_t orders_max_;
    WhenDry when_orders_dry_;
    WhenDry when_trades_dry_;
    std::uint32_t places_;
    Region node_region_;
    std::vector<Region> retired_;  // the old index, into which commands of the batch under way may still look ahead
    Region tape_region_;
    Region book_region_;
    std::uint64_t order_refusals_ = 0;
    std::uint64_t trade_refusals_ = 0;
    std::uint32_t growths_ = 0;
};

}  // namespace lowlat
