// The matching engine. What every command does is stated in docs/matching.md; this does it, fast.
//
// The path of a plain command is kept in one place: execute() to the events it emits. It is that of orders without
// terms in a book that has none; terms_path.hpp does all others. What both stand on is the store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/full_path.hpp"
#include "engine/native/matching/ladder.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/simple_validation.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class Matcher;

/// Walk everything and abort on the first rule that does not hold (invariants.cpp).
void check_invariants(const Matcher& matcher);

class Matcher : public Store {
  public:
    using Store::Store;

    /// Execute one command; its events go to `sink`.
    template <typename Sink>
    LOWLAT_INLINE void execute(const Command& command, Sink& sink) {
        if (unlikely(command.symbol >= symbols_)) {
            reject_unknown_symbol(command, sink);
        } else {
            dispatch(command, books_[command.symbol], sink);
        }
        end_command();
    }

    template <typename Sink>
    void execute(const ExtendedCommand& command, Sink& sink) {
        if (unlikely(!known(command.kind) || command.symbol >= symbols_)) {
            reject_unknown_symbol(command, sink);
        } else if (books_[command.symbol].special != 0 || has_terms(command)) {
            take_terms_path(command, sink);
        } else {
            dispatch_apart(command, sink);
        }
        end_command();
    }

    /// Execute commands in order. While one is executed, what later ones will touch is fetched: nothing but time
    /// depends on it.
    template <typename Record, typename Sink>
    void execute_all(const Record* commands, std::uint64_t count, Sink& sink) {
        retired_.clear();
        Ahead ahead[fetch_slot];
        const std::uint64_t lead = std::min(count, fetch_slot);
        for (std::uint64_t at = 0; at < lead; ++at) ahead[at] = look_ahead(commands[at]);
        for (std::uint64_t at = 0; at < count; ++at) {
            if (likely(at + fetch_slot < count)) {
                if constexpr (std::is_same_v<Record, ExtendedCommand>)
                    fetch_terms_of(ahead[(at + fetch_neighbours) % fetch_slot]);
                fetch_neighbours_of(ahead[(at + fetch_neighbours) % fetch_slot]);
                fetch_node_of(ahead[(at + fetch_node) % fetch_slot]);
                ahead[at % fetch_slot] = look_ahead(commands[at + fetch_slot]);
            }
            execute(commands[at], sink);
        }
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

    LOWLAT_INLINE void fetch_terms_of(const Ahead& ahead) const {
        prefetch(terms_.data() + nodes_[ahead.slot->handle].order.kept);
    }

  private:
    // How many commands ahead each cache line is asked for: the id's slot and the ladder's entry of the price, then
    // the node and the level they name, then the node's neighbours, its level, and where orders have terms, its terms.
    static constexpr std::uint64_t fetch_slot = 16;
    static constexpr std::uint64_t fetch_node = 8;
    static constexpr std::uint64_t fetch_neighbours = 4;

    // -- the path of a command ------------------------------------------------------------------------------------

    LOWLAT_INLINE void end_command() {
        ++sequence_;
#if defined(LOWLAT_CHECKED)
        // Every command while the book is small; a large book costs too much to walk each time.
        if (live_ <= 64 || sequence_ % 4096 == 0) check_invariants(*this);
#endif
    }

    template <typename Sink>
    LOWLAT_INLINE void dispatch(const Command& command, Book& book, Sink& sink) {
        switch (command.kind) {
            case CommandType::limit:
            case CommandType::market:
                return enter(command, book, sink);
            case CommandType::cancel:
                return cancel(command, book, sink);
            case CommandType::reduce:
                return reduce(command, book, sink);
            case CommandType::replace:
                return replace(command, book, sink);
            default:
                if (!known(command.kind)) return reject(command, Reason::unknown_kind, sink);
                take_terms_path(command, sink);
        }
    }

    /// For wide commands that turn out plain: inlined there, the plain path would burden the other.
    template <typename Sink>
    LOWLAT_APART void dispatch_apart(const Command& command, Sink& sink) {
        dispatch(command, books_[command.symbol], sink);
    }

    template <typename Sink>
    LOWLAT_APART void take_terms_path(const Command& command, Sink& sink) {
        ExtendedCommand wide{};
        static_cast<Command&>(wide) = command;
        take_terms_path(wide, sink);
    }

    template <typename Sink>
    LOWLAT_INLINE void take_terms_path(const ExtendedCommand& command, Sink& sink) {
        TermsPath<Sink>(*this, command.symbol, command.kind, sink).execute(command);
    }

    /// Whether an order comes in as the plain path has it, in whatever book.
    static bool without_terms(const Command& command) {
        return command.time_in_force <= static_cast<std::uint8_t>(TimeInForce::fok) && command.flags <= flag_post_only;
    }

    template <typename Sink>
    LOWLAT_INLINE void enter(const Command& command, Book& book, Sink& sink) {
        std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        if (unlikely(!plain(command) || !book.sound(command) || live_ >= live_unchecked_)) {
            if (book.special != 0 || !without_terms(command)) return take_terms_path(command, sink);
            const Reason reason = why_not_enter(command, book, tag);
            if (reason != Reason::none) return reject(command, reason, sink);
            tag = index_.tag(command.order_id, command.symbol);  // the index may have grown
        } else if (unlikely(find(command.order_id, command.symbol, tag) != nil)) {
            return reject(command, Reason::duplicate_order_id, sink);
        }
        const std::uint32_t side = command.side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        emit(sink, ExecType::accepted, command, side, command.price, quantity, quantity, Reason::none);

        const std::int64_t limit = limit_key(command, book, side);
        std::uint32_t left = quantity;
        if (unlikely(book.ladders[side ^ 1].best_key() <= limit)) {
            left = match(command, book, side, limit, sink);
            if (left == 0) return;
        }
        if (likely(rests(command))) {
            rest(command, book, side, left, tag);
        } else {
            const bool market = command.kind == CommandType::market;
            emit(sink, ExecType::cancelled, command, side, command.price, left, 0,
                 market ? Reason::market_remainder : Reason::ioc_remainder);
        }
    }

    template <typename Sink>
    LOWLAT_INLINE void cancel(const Command& command, Book& book, Sink& sink) {
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        const OrderBody order = nodes_[handle].order;
        if (unlikely((book.special | order.kept) != 0)) return take_terms_path(command, sink);
        const std::int64_t key = nodes_[order.level].level.key;
        index_.erase(tag, handle);
        take_out(book, handle);
        nodes_.release(handle);
        --live_;
        emit(sink, ExecType::cancelled, command, order.side, price_of(book, order.side, key), order.quantity, 0,
             Reason::requested);
    }

    template <typename Sink>
    void reduce(const Command& command, Book& book, Sink& sink) {
        if (unlikely(book.special != 0)) return take_terms_path(command, sink);
        if (const Reason reason = why_not_quantity(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        if (unlikely(order.kept != nil)) return take_terms_path(command, sink);
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
        emit(sink, ExecType::reduced, command, side, price, quantity, left, Reason::none);
    }

    template <typename Sink>
    void replace(const Command& command, Book& book, Sink& sink) {
        if (unlikely(book.special != 0)) return take_terms_path(command, sink);
        const std::uint32_t tag = index_.tag(command.order_id, command.symbol);
        if (const Reason reason = why_not_terms_of_replace(command, book); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        const Handle handle = find(command.order_id, command.symbol, tag);
        if (unlikely(handle == nil)) return reject(command, Reason::unknown_order_id, sink);
        OrderBody& order = nodes_[handle].order;
        if (unlikely(order.kept != nil)) return take_terms_path(command, sink);
        LevelBody& level = nodes_[order.level].level;
        const std::uint32_t side = order.side;
        const auto quantity = static_cast<std::uint32_t>(command.quantity);
        const std::int64_t key = key_of(book, side, command.price);
        if (key == level.key && quantity <= order.quantity) {
            level.quantity -= order.quantity - quantity;
            order.quantity = quantity;
            return emit(sink, ExecType::replaced, command, side, command.price, quantity, quantity, Reason::none);
        }
        if (const Reason reason = why_not_trade(command, book, side); unlikely(reason != Reason::none))
            return reject(command, reason, sink);
        emit(sink, ExecType::replaced, command, side, command.price, quantity, quantity, Reason::none);
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
            book.last = price;
            book.traded = true;
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
                if (unlikely(maker.order.kept != nil)) release_terms(at);
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
    LOWLAT_INLINE void print(const Command& command, std::uint32_t side, std::int64_t price, std::uint32_t quantity,
                             std::uint32_t left, const OrderBody& maker, Sink& sink) {
        record({maker.id, command.order_id, price, quantity, command.symbol});
        sink.next() = {.sequence = sequence_,
                       .order_id = command.order_id,
                       .maker_id = maker.id,
                       .price = price,
                       .quantity = quantity,
                       .remaining = left,
                       .maker_remaining = maker.quantity,
                       .symbol = command.symbol,
                       .trade_id = ++trades_,
                       .kind = ExecType::trade,
                       .side = static_cast<std::uint8_t>(side),
                       .reason = Reason::none,
                       .command = command.kind,
                       .zero = 0};
    }

    LOWLAT_INLINE void rest(const Command& command, Book& book, std::uint32_t side, std::uint32_t quantity,
                            std::uint32_t tag) {
        const Handle handle = nodes_.acquire();
        nodes_[handle].order = {.id = command.order_id,
                                .quantity = quantity,
                                .level = nil,
                                .kept = nil,
                                .symbol = static_cast<std::uint16_t>(command.symbol),
                                .side = static_cast<std::uint8_t>(side),
                                .terms = 0};
        ++live_;
        queue_up(book, side, key_of(book, side, command.price), handle);
        if (unlikely(!index_.insert(tag, handle))) rebuild_index();
    }

    // -- what is told ---------------------------------------------------------------------------------------------

    template <typename Sink>
    LOWLAT_INLINE void emit(Sink& sink, ExecType kind, const Command& command, std::uint32_t side, std::int64_t price,
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
        emit(sink, ExecType::rejected, command, command.side, command.price, 0, 0, reason);
    }

    template <typename Sink>
    LOWLAT_COLD void reject_unknown_symbol(const Command& command, Sink& sink) {
        reject(command, known(command.kind) ? Reason::unknown_symbol : Reason::unknown_kind, sink);
    }

    // -- what is refused: the order of these checks is part of the contract -----------------------------------------

    /// Keys of the other side up to this one trade.
    static LOWLAT_INLINE std::int64_t limit_key(const Command& command, const Book& book, std::uint32_t side) {
        return command.kind == CommandType::market ? any_key : key_of(book, side ^ 1, command.price);
    }

    LOWLAT_COLD Reason why_not_enter(const Command& command, Book& book, std::uint32_t tag) {
        if (command.side > 1) return Reason::unknown_side;
        if (command.time_in_force > static_cast<std::uint8_t>(TimeInForce::fok)) return Reason::unknown_time_in_force;
        if (const Reason reason = why_not_terms(command, book); reason != Reason::none) return reason;
        if (command.flags != 0 && !rests(command)) return Reason::post_only_conflict;
        if (find(command.order_id, command.symbol, tag) != nil) return Reason::duplicate_order_id;
        const bool dry = rests(command) && live_ == orders_max_;
        if (dry && when_orders_dry_ == PoolPolicy::refuse) return Reason::order_pool_full;
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
        const bool enough = when_trades_dry_ != PoolPolicy::refuse || tape_.room() >= live_;
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
};

}  // namespace lowlat
