// The matching engine. docs/matching.md specifies every command.
//
// This file holds the whole simple path, from execute() to the emitted events: orders without attributes, in a book
// that holds none with attributes. full_path.hpp handles all other commands. Both paths share the store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/dry_run.hpp"
#include "engine/native/matching/events.hpp"
#include "engine/native/matching/fetching_store.hpp"
#include "engine/native/matching/full_path.hpp"
#include "engine/native/matching/index_policy.hpp"
#include "engine/native/matching/invariants.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/simple_validation.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/planted_spin.hpp"

namespace lowlat {

/// Inherits from the store, because the simple path works on its members directly: it does the same steps as the
/// store's operations, but reorders them and leaves out what it does not need.
class Matcher : public FetchingStore {
  public:
    using FetchingStore::FetchingStore;

    /// Execute one command and emit its events to `sink`.
    template <typename Sink>
    LOWLAT_INLINE void execute(const Command& command, Sink& sink) {
        planted_spin();
        if (unlikely(command.symbol >= symbols_)) {
            reject_unknown_symbol(command, sink);
        } else {
            dispatch(command, books_[command.symbol], sink);
        }
        end_command();
    }

    template <typename Sink>
    void execute(const ExtendedCommand& command, Sink& sink) {
        planted_spin();
        if (unlikely(!known(command.kind) || command.symbol >= symbols_)) {
            reject_unknown_symbol(command, sink);
        } else if (books_[command.symbol].restricted != 0 || has_attributes(command)) {
            take_full_path(command, sink);
        } else {
            dispatch_apart(command, sink);
        }
        end_command();
    }

    /// Execute commands in order. While one executes, the memory that later ones will touch is prefetched; this affects
    /// only time.
    template <typename Record, typename Sink>
    void execute_all(const Record* commands, std::uint64_t count, Sink& sink) {
        Ahead ahead[fetch_slot];
        begin_batch(commands, count, ahead);
        execute_part(commands, {.count = count, .readable = count}, ahead, sink);
    }

    /// Look ahead at the first commands of a batch. One that is alone executes at once.
    template <typename Record>
    void begin_batch(const Record* commands, std::uint64_t count, Ahead* ahead) {
        if (count == 1) return;
        const std::uint64_t lead = std::min(count, fetch_slot);
        for (std::uint64_t at = 0; at < lead; ++at) ahead[at] = look_ahead(commands[at]);
    }

    /// How many commands to execute, and how many are there to look ahead at. Except at the end of a batch, `count` is
    /// a multiple of fetch_slot.
    struct Part {
        std::uint64_t count, readable;
    };

    /// Execute the next part of a batch. Its command n has entry n % fetch_slot of `ahead`.
    template <typename Record, typename Sink>
    LOWLAT_INLINE void execute_part(const Record* commands, Part part, Ahead* ahead, Sink& sink) {
        for (std::uint64_t at = 0; at < part.count; ++at) {
            if (likely(at + fetch_slot < part.readable)) fetch_ahead(commands, at, ahead);
            execute(commands[at], sink);
        }
    }

    /// Execute a batch up to the command with which the sink is full.
    template <typename Record, typename Sink>
    void execute_while_room(const Record* commands, std::uint64_t count, Sink& sink) {
        Ahead ahead[fetch_slot];
        begin_batch(commands, count, ahead);
        for (std::uint64_t at = 0; at < count && !sink.full(); ++at) {
            if (likely(at + fetch_slot < count)) fetch_ahead(commands, at, ahead);
            execute(commands[at], sink);
        }
    }

  private:
    template <typename Record>
    LOWLAT_INLINE void fetch_ahead(const Record* commands, std::uint64_t at, Ahead* ahead) const {
        if constexpr (std::is_same_v<Record, ExtendedCommand>)
            fetch_attributes_of(ahead[(at + fetch_neighbors) % fetch_slot]);
        fetch_neighbors_of(ahead[(at + fetch_neighbors) % fetch_slot]);
        if (unlikely(many_far_levels())) fetch_far_of(commands[at + fetch_far], ahead[(at + fetch_far) % fetch_slot]);
        fetch_node_of(ahead[(at + fetch_node) % fetch_slot]);
        ahead[at % fetch_slot] = look_ahead(commands[at + fetch_slot]);
    }

    // -- the path of a command ------------------------------------------------------------------------------------

    LOWLAT_INLINE void end_command() {
        ++sequence_;
#if defined(LOWLAT_CHECKED)
        // After every command while the book is small; a large book is too costly to walk each time.
        if (live_ <= 64 || sequence_ % 4096 == 0) check_invariants(*this);
#endif
    }

    template <typename Sink>
    LOWLAT_INLINE void dispatch(const Command& command, Book& book, Sink& sink) {
        // Loaded before the branch on the kind, which is often mispredicted.
        const OrderIndex::Home home = index_.home(command.order_id, command.symbol);
        const Handle first = index_.first(home);
        switch (command.kind) {
            case CommandType::limit:
            case CommandType::market:
                return enter(command, book, home, first, sink);
            case CommandType::cancel:
                return cancel(command, book, home, first, sink);
            case CommandType::reduce:
                return reduce(command, book, home, first, sink);
            case CommandType::replace:
                return replace(command, book, home, first, sink);
            default:
                if (!known(command.kind)) return reject(command, Reason::unknown_kind, sink);
                take_full_path(command, sink);
        }
    }

    /// For extended commands that turn out simple; inlining the simple path there would slow down the full path.
    template <typename Sink>
    LOWLAT_APART void dispatch_apart(const Command& command, Sink& sink) {
        dispatch(command, books_[command.symbol], sink);
    }

    template <typename Sink>
    LOWLAT_APART void take_full_path(const Command& command, Sink& sink) {
        ExtendedCommand extended{};
        static_cast<Command&>(extended) = command;
        take_full_path(extended, sink);
    }

    template <typename Sink>
    LOWLAT_INLINE void take_full_path(const ExtendedCommand& command, Sink& sink) {
        FullPath<Sink>(*this, command.symbol, command.kind, sink).execute(command);
    }

    /// Whether an incoming order itself is simple, whatever the book.
    static bool without_attributes(const Command& command) {
        return command.time_in_force <= static_cast<std::uint8_t>(TimeInForce::fok) && command.flags <= flag_post_only;
    }

    template <typename Sink>
    LOWLAT_INLINE void enter(const Command& command, Book& book, OrderIndex::Home home, Handle first, Sink& sink) {
        const std::int64_t ticks = book.divider.ticks(command.price);
        if (unlikely(!is_simple(command) || !book.sound(command, ticks) || live_ >= live_unchecked_)) {
            if (is(command, TimeInForce::fok)) consider_index(*this, book);
            if (book.restricted != 0 || !without_attributes(command)) return take_full_path(command, sink);
            const Reason reason = check_enter(command, book, first);
            if (reason != Reason::none) return reject(command, reason, sink);
            home = index_.home(command.order_id, command.symbol);  // the index may have grown
        } else if (unlikely(find(command.order_id, command.symbol, first) != nil)) {
            return reject(command, Reason::duplicate_order_id, sink);
        }
        const Side side = side_of(command);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        emit_whole(ExecType::accepted, command, side, sink);

        const std::int64_t key = ticks ^ Book::mirror(side);
        const std::int64_t limit = limit_key(command, key);
        std::uint32_t left = quantity;
        if (unlikely(book.ladders[opposite(side)].best_key() <= limit)) {
            left = match(command, book, side, limit, sink);
            if (left == 0) return;
        }
        if (likely(rests(command))) {
            rest(command, book.ladders[side], key, home, left);
        } else {
            const bool market = command.kind == CommandType::market;
            emit(command, sink,
                 {.kind = ExecType::cancelled,
                  .id = command.order_id,
                  .side = byte_of(side),
                  .price = command.price,
                  .quantity = left,
                  .remaining = 0,
                  .reason = market ? Reason::market_remainder : Reason::ioc_remainder});
        }
    }

    template <typename Sink>
    LOWLAT_INLINE void cancel(const Command& command, Book& book, OrderIndex::Home home, Handle first, Sink& sink) {
        const Handle handle = find(command.order_id, command.symbol, first);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        const OrderBody order = nodes_[handle].order;
        if (unlikely((book.restricted | (order.attributes & attribute_kept)) != 0))
            return take_full_path(command, sink);
        const std::int64_t key = nodes_[order.level].level.key;
        index_.erase(home, handle, chain());
        dequeue(book.ladders[order.side], handle);
        nodes_.release(handle);
        --live_;
        emit(command, sink,
             {.kind = ExecType::cancelled,
              .id = command.order_id,
              .side = byte_of(order.side),
              .price = book.price_of(order.side, key),
              .quantity = order.quantity,
              .remaining = 0,
              .reason = Reason::requested});
    }

    template <typename Sink>
    void reduce(const Command& command, Book& book, OrderIndex::Home home, Handle first, Sink& sink) {
        if (unlikely(book.restricted != 0)) return take_full_path(command, sink);
        if (const Reason reason = check_quantity(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const Handle handle = find(command.order_id, command.symbol, first);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        if (unlikely(has_attributes(order))) return take_full_path(command, sink);
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        if (unlikely(quantity > order.quantity)) return reject(command, Reason::reduce_exceeds_remaining, sink);
        const Side side = order.side;
        const std::uint32_t left = order.quantity - quantity;
        LevelBody& level = nodes_[order.level].level;
        const std::int64_t price = book.price_of(side, level.key);
        if (left != 0) {
            order.quantity = left;
            level.quantity -= quantity;
        } else {
            index_.erase(home, handle, chain());
            dequeue(book.ladders[side], handle);
            nodes_.release(handle);
            --live_;
        }
        emit(command, sink,
             {.kind = ExecType::reduced,
              .id = command.order_id,
              .side = byte_of(side),
              .price = price,
              .quantity = quantity,
              .remaining = left});
    }

    template <typename Sink>
    void replace(const Command& command, Book& book, OrderIndex::Home home, Handle first, Sink& sink) {
        if (unlikely(book.restricted != 0)) return take_full_path(command, sink);
        if (const Reason reason = check_attributes_of_replace(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const Handle handle = find(command.order_id, command.symbol, first);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        if (unlikely(has_attributes(order))) return take_full_path(command, sink);
        LevelBody& level = nodes_[order.level].level;
        const Side side = order.side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        const std::int64_t key = book.key_of(side, command.price);
        if (key == level.key && quantity <= order.quantity) {
            level.quantity -= order.quantity - quantity;
            order.quantity = quantity;
            return emit_whole(ExecType::replaced, command, side, sink);
        }
        if (const Reason reason = check_trade(command, book, side); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        emit_whole(ExecType::replaced, command, side, sink);
        dequeue(book.ladders[side], handle);
        std::uint32_t left = quantity;
        const std::int64_t limit = limit_key(command, key);
        if (unlikely(book.ladders[opposite(side)].best_key() <= limit)) left = match(command, book, side, limit, sink);
        if (left != 0) {
            nodes_[handle].order.quantity = left;
            enqueue(book.ladders[side], key, handle);
        } else {
            index_.erase(home, handle, chain());
            nodes_.release(handle);
            --live_;
        }
    }

    /// Trade against the other side's levels up to key `limit`. Returns the remaining quantity.
    template <typename Sink>
    std::uint32_t match(const Command& command, Book& book, Side side, std::int64_t limit, Sink& sink) {
        Ladder& ladder = book.ladders[opposite(side)];
        auto left = static_cast<std::uint32_t>(command.quantity);
        while (left != 0 && ladder.best() != nil && ladder.best_key() <= limit) {
            const Handle level_handle = ladder.best();
            Node& level = nodes_[level_handle];
            const std::int64_t price = book.price_of(opposite(side), level.level.key);
            book.last = price;
            book.traded = true;
            Handle at = level.next;
            do {
                Node& maker = nodes_[at];
                prefetch(&nodes_[maker.next]);
                const std::uint32_t quantity = std::min(left, maker.order.quantity);
                left -= quantity;
                const std::uint32_t maker_left = maker.order.quantity - quantity;
                maker.order.quantity = maker_left;
                level.level.quantity -= quantity;
                execute_trade(command, sink,
                              {.taker_id = command.order_id,
                               .taker_left = left,
                               .maker_id = maker.order.id,
                               .maker_left = maker_left,
                               .side = side,
                               .price = price,
                               .quantity = quantity});
                if (maker_left != 0) break;
                const Handle next = maker.next;
                index_.erase(index_.home(maker.order.id, command.symbol), at, chain());
                if (unlikely(has_attributes(maker.order))) release_attributes(at);
                nodes_.release(at);
                --live_;
                --level.level.order_count;
                at = next;
            } while (left != 0 && at != level_handle);
            level.next = at;
            nodes_[at].prev = level_handle;
            if (at == level_handle) drop_level(ladder, level_handle);
        }
        return left;
    }

    template <typename Sink>
    LOWLAT_INLINE void execute_trade(const Command& command, Sink& sink, const Fill& fill) {
        const std::uint64_t trade_id = record(trade_of(fill, command.symbol));
        sink.next() = event_of(source_of(command), fill, trade_id);
    }

    LOWLAT_INLINE void rest(const Command& command, Ladder& ladder, std::int64_t key, OrderIndex::Home home,
                            std::uint32_t quantity) {
        const Handle handle = nodes_.acquire();
        nodes_[handle].order = {.id = command.order_id,
                                .quantity = quantity,
                                .level = nil,
                                .chained = nil,
                                .symbol = static_cast<std::uint16_t>(command.symbol),
                                .side = side_of(command),
                                .attributes = 0};
        ++live_;
        enqueue(ladder, key, handle);
        if (unlikely(!index_.insert(home, handle, chain()))) rebuild_index();
    }

    // -- events -----------------------------------------------------------------------------------------------------

    template <typename Sink>
    LOWLAT_INLINE void emit(const Command& command, Sink& sink, const OrderUpdate& update) {
        sink.next() = event_of(source_of(command), update);
    }

    /// Report that an order now holds the command's full quantity.
    template <typename Sink>
    LOWLAT_INLINE void emit_whole(ExecType kind, const Command& command, Side side, Sink& sink) {
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        emit(command, sink,
             {.kind = kind,
              .id = command.order_id,
              .side = byte_of(side),
              .price = command.price,
              .quantity = quantity,
              .remaining = quantity});
    }

    LOWLAT_INLINE EventSource source_of(const Command& command) const {
        return {sequence_, command.symbol, command.kind};
    }

    template <typename Sink>
    LOWLAT_COLD void reject(const Command& command, Reason reason, Sink& sink) {
        count_refusal(reason);
        emit(command, sink,
             {.kind = ExecType::rejected,
              .id = command.order_id,
              .side = command.side,
              .price = command.price,
              .quantity = 0,
              .remaining = 0,
              .reason = reason});
    }

    template <typename Sink>
    LOWLAT_COLD void reject_unknown_symbol(const Command& command, Sink& sink) {
        reject(command, known(command.kind) ? Reason::unknown_symbol : Reason::unknown_kind, sink);
    }

    // -- what is refused: the order of these checks is part of the contract -----------------------------------------

    /// The worst key of the other side that still trades with a price whose own key is `key`.
    static LOWLAT_INLINE std::int64_t limit_key(const Command& command, std::int64_t key) {
        return command.kind == CommandType::market ? Book::any_key : ~key;
    }

    LOWLAT_COLD Reason check_enter(const Command& command, Book& book, Handle first) {
        if (!is_side(command.side)) return Reason::unknown_side;
        if (command.time_in_force > static_cast<std::uint8_t>(TimeInForce::fok)) return Reason::unknown_time_in_force;
        if (const Reason reason = check_attributes(command, book); reason != Reason::none) return reason;
        if (command.flags != 0 && !rests(command)) return Reason::post_only_conflict;
        if (find(command.order_id, command.symbol, first) != nil) return Reason::duplicate_order_id;
        const bool full = rests(command) && live_ == orders_max_;
        if (full && when_orders_dry_ == PoolPolicy::reject) return Reason::order_pool_full;
        if (is(command, TimeInForce::fok) && !sweep_of(command, book, side_of(command)).fills(book.walks))
            return Reason::fok_not_fillable;
        if (const Reason reason = check_trade(command, book, side_of(command)); reason != Reason::none) return reason;
        if (full && !grow_orders()) return Reason::order_pool_full;
        if (rests(command) && live_ == resident_) extend_orders();
        return Reason::none;
    }

    DryRun sweep_of(const Command& command, const Book& book, Side side) const {
        return {nodes_, book.ladders[opposite(side)], limit_key(command, book.key_of(side, command.price)),
                command.quantity};
    }

    Reason check_trade(const Command& command, const Book& book, Side side) const {
        const DryRun sweep = sweep_of(command, book, side);
        const bool reaches = sweep.ladder.best() != nil && sweep.ladder.best_key() <= sweep.limit;
        if ((command.flags & flag_post_only) != 0 && reaches) return Reason::post_only_would_trade;
        const bool enough = when_trades_dry_ != PoolPolicy::reject || tape_.room() >= live_;
        return enough || sweep.meets_at_most(tape_.room()) ? Reason::none : Reason::trade_pool_full;
    }
};

}  // namespace lowlat
