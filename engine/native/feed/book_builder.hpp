// The books of a feed: the venue's word is applied to them, and nothing is matched.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/native/feed/fetching_books.hpp"
#include "engine/native/feed/records.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/invariants.hpp"
#include "engine/native/matching/order_index.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/untrusted.hpp"

namespace lowlat {

/// What was applied so far, and where it contradicted the books.
struct BuilderCounts {
    static constexpr std::size_t actions = static_cast<std::size_t>(OrderAction::bust) + 1;

    std::array<std::uint64_t, actions> events{};   // by action
    std::array<std::uint64_t, actions> unknown{};  // of these, those of an order that is not there
    std::uint64_t overfilled = 0;                  // took more of an order than it had
    std::uint64_t repeated = 0;                    // entered an order whose id is another's
    std::uint64_t empty = 0;                       // entered an order of quantity 0
    std::uint64_t regrids = 0;                     // times that a book's grid of prices became finer
    std::uint32_t orders_max = 0;                  // live at once
    std::uint32_t levels_max = 0;
};

/// Applies events of a feed. Bids and asks may cross; what contradicts a book is believed and counted.
///
/// A third path over the store, beside Matcher and FullPath: no order has attributes. Books are added as events name
/// their symbols. A book's tick is the greatest common divisor of its prices so far, so that its window spans many
/// levels whatever the feed's unit.
class BookBuilder : public FetchingBooks {
  public:
    static constexpr std::uint32_t symbols_limit = 1U << 16;  // an order has 16 bits for its symbol

    explicit BookBuilder(std::uint32_t orders) : FetchingBooks(books_of(1, orders)) {}

    const BuilderCounts& counts() const { return counts_; }

    /// Levels now, over all books.
    std::uint32_t levels() const { return nodes_.in_use() - live_; }

    /// Empty all books; counts begin anew.
    void restart() {
        reset();
        counts_ = {};
    }

    /// Apply one event, unless it has a fault. Throws std::bad_alloc before any change.
    LOWLAT_INLINE EventFault apply(const OrderEvent& event) { return fault_ = dispatch(event); }

    /// Apply events in order up to the first that has a fault; return how many. `witness` sees each: `before(event)`,
    /// then `after(event)`. The events may be written to meanwhile. Throws std::bad_alloc between two events.
    template <typename Witness>
    std::uint64_t apply_all(std::span<const OrderEvent> events, Witness& witness) {
        Ahead ahead[fetch_slot];
        alignas(64) OrderEvent block[block_events + fetch_book];
        for (std::uint64_t done = 0; done < events.size(); done += block_events) {
            const std::uint64_t left = events.size() - done;
            const std::uint64_t copied = std::min(block_events + fetch_book, left);
            copy_untrusted(block, events.data() + done, copied);
            if (done == 0)
                for (std::uint64_t at = 0; at < std::min(copied, fetch_slot); ++at) ahead[at] = look_ahead(block[at]);
            // A copy cannot go on while it waits for memory, so the next one's events are prefetched too.
            const std::uint64_t next = done + block_events + fetch_book;
            for (std::uint64_t at = 0; at < std::min(copied, block_events); ++at) {
                if (likely(next + at < events.size())) prefetch_to_read(&events[next + at]);
                if (likely(at + fetch_book < copied)) fetch_ahead(block, at, ahead);
                witness.before(block[at]);
                if (unlikely(apply(block[at]) != EventFault::none)) return done + at;
                witness.after(block[at]);
#if defined(LOWLAT_CHECKED)
                if (live_ <= 64 || (done + at) % 4096 == 0) check_invariants(*this, Crossing::always);
#endif
            }
        }
        return events.size();
    }

    /// Of the last event: of the one at which apply_all() ended early.
    EventFault fault() const { return fault_; }

    /// Where an order rests.
    struct OrderPlace {
        Side side;
        std::int64_t price;
    };

    /// Of the live order of an id.
    std::optional<OrderPlace> place_of(std::uint64_t id, std::uint32_t symbol) const {
        const Handle handle = find(id, symbol);
        if (handle == nil) return std::nullopt;
        return OrderPlace{order(handle).side, limit_of(books_[symbol], handle)};
    }

    /// An order's position in its queue.
    struct Queued {
        Handle order;
        std::uint32_t orders_ahead;
        std::uint64_t quantity_ahead;
    };

    /// The live order of an id. Walks to the front of its queue.
    std::optional<Queued> look_up(std::uint64_t id, std::uint32_t symbol) const {
        const Handle handle = find(id, symbol);
        if (handle == nil) return std::nullopt;
        Queued found{handle, 0, 0};
        const Handle level = order(handle).level;
        for (Handle at = nodes_[handle].prev; at != level; at = nodes_[at].prev) {
            ++found.orders_ahead;
            found.quantity_ahead += order(at).quantity;
        }
        return found;
    }

  private:
    static constexpr std::uint64_t block_events = 64;
    static_assert(block_events % fetch_slot == 0);

    static EngineConfig books_of(std::size_t symbols, std::uint32_t orders = 0) {
        SymbolRules rules{};
        rules.tick = coarsest_tick;  // until the first price
        rules.price_min = std::numeric_limits<std::int64_t>::min();
        rules.price_max = std::numeric_limits<std::int64_t>::max();
        return {.symbols = std::vector<SymbolRules>(symbols, rules),
                .orders = orders,
                .trades = 0,
                .when_orders_dry = PoolPolicy::grow,
                .window = window,
                .ids = OrderIds::over_all_symbols,
                .touch = Touch::on_demand};
    }

    static constexpr std::uint32_t window = 256;
    static constexpr std::int64_t coarsest_tick = std::int64_t{1} << 62;

    // -- one event --------------------------------------------------------------------------------------------------

    LOWLAT_INLINE EventFault dispatch(const OrderEvent& event) {
        if (unlikely(event.symbol >= symbols_)) {
            if (event.symbol >= symbols_limit) return EventFault::symbol;
            add_symbols(event.symbol);
        }
        Book& book = books_[event.symbol];
        // Loaded before the branch on the action, which is often mispredicted.
        const Handle first = index_.first(index_.home(event.order_id, event.symbol));
        switch (event.action) {
            case OrderAction::add:
                return add_order(book, event, first);
            case OrderAction::reduce:
            case OrderAction::execute:
                take(book, event, first);
                break;
            case OrderAction::cancel:
                if (const Handle handle = find_told(event, first); likely(handle != nil)) remove(book, handle);
                break;
            case OrderAction::replace:
                return replace(book, event, first);
            case OrderAction::upsert:
                return upsert(book, event, first);
            case OrderAction::clear:
                clear(book);
                break;
            case OrderAction::trade:
            case OrderAction::cross:
            case OrderAction::phase:
            case OrderAction::bust:
                break;
            default:
                return EventFault::action;
        }
        return counted(event);
    }

    LOWLAT_INLINE EventFault counted(const OrderEvent& event) {
        ++counts_.events[static_cast<std::size_t>(event.action)];
        return EventFault::none;
    }

    /// The order that the event is about, or nil, which is counted.
    LOWLAT_INLINE Handle find_told(const OrderEvent& event, Handle first) {
        const Handle handle = find(event.order_id, event.symbol, first);
        if (unlikely(handle == nil)) ++counts_.unknown[static_cast<std::size_t>(event.action)];
        return handle;
    }

    LOWLAT_INLINE EventFault add_order(Book& book, const OrderEvent& event, Handle first) {
        if (unlikely(!is_side(event.side))) return EventFault::side;
        if (unlikely(event.quantity > quantity_max)) return EventFault::quantity;
        prepare(book, event, first);
        if (const Handle other = find(event.order_id, event.symbol, first); unlikely(other != nil)) {
            ++counts_.repeated;
            remove(book, other);
        }
        enter(book, event, event.order_id, side_of(event));
        return counted(event);
    }

    LOWLAT_INLINE void take(Book& book, const OrderEvent& event, Handle first) {
        const Handle handle = find_told(event, first);
        if (unlikely(handle == nil)) return;
        const std::uint32_t held = nodes_[handle].order.quantity;
        if (event.quantity < held) return reduce_shown(handle, static_cast<std::uint32_t>(event.quantity));
        if (unlikely(event.quantity > held)) ++counts_.overfilled;
        remove(book, handle);
    }

    LOWLAT_INLINE EventFault replace(Book& book, const OrderEvent& event, Handle first) {
        if (unlikely(event.quantity > quantity_max)) return EventFault::quantity;
        prepare(book, event, first);
        const Handle handle = find_told(event, first);
        if (unlikely(handle == nil)) return counted(event);  // nor is the side of the new one known
        const Side side = nodes_[handle].order.side;
        remove(book, handle);
        if (const Handle other = find(event.other_id, event.symbol); unlikely(other != nil)) {
            ++counts_.repeated;
            remove(book, other);
        }
        enter(book, event, event.other_id, side);
        return counted(event);
    }

    LOWLAT_INLINE EventFault upsert(Book& book, const OrderEvent& event, Handle first) {
        if (unlikely(!is_side(event.side))) return EventFault::side;
        if (unlikely(event.quantity > quantity_max)) return EventFault::quantity;
        prepare(book, event, first);
        if (const Handle handle = find(event.order_id, event.symbol, first); handle != nil) {
            const OrderBody& order = nodes_[handle].order;
            const bool stays = order.side == side_of(event) && limit_of(book, handle) == event.price;
            if (stays && event.quantity != 0 && event.quantity <= order.quantity) {
                reduce_shown(handle, order.quantity - static_cast<std::uint32_t>(event.quantity));
                return counted(event);
            }
            remove(book, handle);
            if (event.quantity == 0) return counted(event);
        }
        enter(book, event, event.order_id, side_of(event));
        return counted(event);
    }

    LOWLAT_APART void clear(Book& book) {
        for (const Ladder& ladder : book.ladders)
            while (ladder.best() != nil) remove(book, nodes_[ladder.best()].next);
    }

    // -- changes of a book ------------------------------------------------------------------------------------------

    /// Have room for one more order, and this price on the book's grid. Before any change, so that the books hold if
    /// memory ends. `first`, of the event's id, is found anew if the index has changed.
    LOWLAT_INLINE void prepare(Book& book, const OrderEvent& event, Handle& first) {
        if (unlikely(full())) {
            if (!grow_orders()) throw std::bad_alloc();
            first = index_.first(index_.home(event.order_id, event.symbol));
        }
        if (unlikely(!book.is_price(event.price, book.divider.ticks(event.price)))) regrid(book, event.price);
    }

    LOWLAT_INLINE void remove(Book& book, Handle handle) {
        dequeue(book.ladders[nodes_[handle].order.side], handle);
        release(book, handle);
    }

    /// Append an order with the event's price and quantity; its id is not in use.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): an id, and a side
    LOWLAT_INLINE void enter(Book& book, const OrderEvent& event, std::uint64_t id, Side side) {
        if (unlikely(event.quantity == 0)) {
            ++counts_.empty;
            return;
        }
        const Handle handle = add(book, {.id = id,
                                         .quantity = static_cast<std::uint32_t>(event.quantity),
                                         .level = nil,
                                         .attributes_handle = nil,
                                         .symbol = static_cast<std::uint16_t>(event.symbol),
                                         .side = side,
                                         .attributes = 0});
        enqueue(book.ladders[side], book.key_of(side, event.price), handle);
        list(handle);
        counts_.orders_max = std::max(counts_.orders_max, live_);
        counts_.levels_max = std::max(counts_.levels_max, levels());
    }

    /// Make the tick of a book divide a price that it does not divide.
    LOWLAT_COLD void regrid(Book& book, std::int64_t price) {
        struct Moved {
            Handle order;
            std::int64_t price;
        };
        std::vector<Moved> moved;
        for (const Ladder& ladder : book.ladders)
            for_each_queued(ladder, [&](Handle at) { moved.push_back({at, limit_of(book, at)}); });
        const std::uint64_t tick =
            moved.empty() ? magnitude(price) : std::gcd(magnitude(price), magnitude(book.rules.tick));
        for (const Moved& order : moved) dequeue(book.ladders[nodes_[order.order].order.side], order.order);
        constexpr std::uint64_t lowest = std::uint64_t{1} << 63;  // of a price; half of it divides it too
        SymbolRules rules = book.rules;
        rules.tick = static_cast<std::int64_t>(tick == lowest ? lowest / 2 : tick);
        book.set_rules(rules);
        for (const Moved& order : moved) {
            const Side side = nodes_[order.order].order.side;
            enqueue(book.ladders[side], book.key_of(side, order.price), order.order);
        }
        ++counts_.regrids;
    }

    static std::uint64_t magnitude(std::int64_t price) {
        const auto bits = static_cast<std::uint64_t>(price);
        return price < 0 ? -bits : bits;
    }

    /// Add books up to this symbol's, and a few more, so that a feed that names one after the other does not have all
    /// of them moved each time.
    LOWLAT_COLD void add_symbols(std::uint32_t symbol) {
        const std::uint32_t spare = std::max(64U, symbols_ / 4);
        const std::uint32_t count = std::min(std::max(symbol + 1, symbols_ + spare), symbols_limit);
        memory_.grow_sparse(count, orders_max_, resident_);
        memory_.add_books(books_of(count - symbols_), books_);
        symbols_ = count;
    }

    BuilderCounts counts_;
    EventFault fault_ = EventFault::none;
};

}  // namespace lowlat
