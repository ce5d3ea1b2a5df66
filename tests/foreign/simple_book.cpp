// A small matching engine behind lowlat_engine.h: an example to learn from, and what lowlat's tests measure and verify.
//
//     c++ -std=c++20 -O2 -shared -fPIC -I engine/native/foreign tests/foreign/simple_book.cpp -o simple_book.so
//     lowlat bench --engine ./simple_book.so
//
// It executes limit and market orders, cancels, reductions and replacements as docs/matching.md says. A side is a
// sorted map of prices, each with a list of orders, oldest first; a hash table finds an order by its id.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory_resource>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lowlat_engine.h"

namespace {

using Id = std::uint64_t;
using Price = std::int64_t;
using Quantity = std::uint32_t;
using Side = std::uint8_t;  // lowlat_side

constexpr Side opposite(Side side) {
    return side == LOWLAT_BUY ? LOWLAT_SELL : LOWLAT_BUY;
}

struct Order {
    Id id;
    Price price;  // 0 of a market order
    Quantity remaining;
    Side side;
    bool is_market = false;

    /// The worst price at which it trades.
    Price limit() const {
        if (!is_market) return price;
        return side == LOWLAT_BUY ? std::numeric_limits<Price>::max() : std::numeric_limits<Price>::min();
    }
};

// -- the book of one symbol -------------------------------------------------------------------------------------------

using Queue = std::pmr::list<Order>;  // oldest first
using OrderAt = Queue::iterator;      // stays valid while its order rests

/// Sorts the prices of a side: the highest bid, the lowest ask first.
struct Better {
    Side side;
    bool operator()(Price one, Price other) const { return side == LOWLAT_BUY ? one > other : one < other; }
};

using Levels = std::pmr::map<Price, Queue, Better>;  // no queue is empty

class Book {
  public:
    Book(const lowlat_symbol_rules& rules, std::pmr::memory_resource* memory)
        : rules_(rules),
          sides_{Levels(Better{LOWLAT_BUY}, memory), Levels(Better{LOWLAT_SELL}, memory)},
          ids_(memory) {}

    const lowlat_symbol_rules& rules() const { return rules_; }

    std::optional<OrderAt> find(Id id) const {
        const auto found = ids_.find(id);
        return found == ids_.end() ? std::nullopt : std::optional(found->second);
    }

    /// Appends the order to the queue at its price.
    void add(const Order& order) {
        Queue& queue = sides_[order.side][order.price];
        queue.push_back(order);
        ids_.emplace(order.id, std::prev(queue.end()));
    }

    void remove(OrderAt order) {
        Levels& levels = sides_[order->side];
        const auto level = levels.find(order->price);
        ids_.erase(order->id);
        level->second.erase(order);
        if (level->second.empty()) levels.erase(level);
    }

    /// Whether a side has an order that trades with one of the other side with this limit.
    bool has_any_within(Price limit, Side side) const {
        const Levels& levels = sides_[side];
        return !levels.empty() && !levels.key_comp()(limit, levels.begin()->first);
    }

    /// The orders of its best price. There is one.
    Queue& best(Side side) { return sides_[side].begin()->second; }

    /// Whether all the orders that trade with it have this quantity.
    bool has_within(Price limit, Side side, Quantity wanted) const {
        const Levels& levels = sides_[side];
        std::uint64_t found = 0;
        for (const auto& [price, queue] : levels) {
            if (levels.key_comp()(limit, price)) break;
            for (const Order& order : queue) {
                found += order.remaining;
                if (found >= wanted) return true;
            }
        }
        return false;
    }

    void clear() {
        for (Levels& levels : sides_) levels.clear();
        ids_.clear();
    }

  private:
    lowlat_symbol_rules rules_;
    std::array<Levels, 2> sides_;  // by lowlat_side
    std::pmr::unordered_map<Id, OrderAt> ids_;
};

// -- prices -----------------------------------------------------------------------------------------------------------

/// The price on the tick, by the symbol's rule. As given where the rule is to reject it; nothing beyond int64.
std::optional<Price> rounded(Price price, Side side, const lowlat_symbol_rules& rules) {
    const Price remainder = price % rules.tick;
    const Price above = remainder < 0 ? remainder + rules.tick : remainder;  // above the next lower multiple
    const Price below = rules.tick - above;                                  // below the next higher one
    if (above == 0 || rules.off_tick == LOWLAT_TICK_ROUNDING_REJECT) return price;
    const bool nearest = rules.off_tick == LOWLAT_TICK_ROUNDING_NEAREST && above != below;
    const bool down = nearest ? above < below : side == LOWLAT_BUY;
    if (down) return price < std::numeric_limits<Price>::min() + above ? std::nullopt : std::optional(price - above);
    return price > std::numeric_limits<Price>::max() - below ? std::nullopt : std::optional(price + below);
}

// -- checks, in the order of docs/matching.md -------------------------------------------------------------------------

lowlat_reason check_quantity(const lowlat_command& command, const lowlat_symbol_rules& rules) {
    if (command.quantity <= 0) return LOWLAT_REASON_QUANTITY_NOT_POSITIVE;
    if (command.quantity > LOWLAT_QUANTITY_MAX) return LOWLAT_REASON_QUANTITY_TOO_LARGE;
    if (command.quantity % rules.lot != 0) return LOWLAT_REASON_QUANTITY_OFF_LOT;
    return LOWLAT_REASON_NONE;
}

lowlat_reason check_price(std::optional<Price> price, const lowlat_symbol_rules& rules) {
    if (!price) return LOWLAT_REASON_PRICE_OUTSIDE_BAND;
    if (*price % rules.tick != 0) return LOWLAT_REASON_PRICE_OFF_TICK;
    const bool inside = rules.price_min <= *price && *price <= rules.price_max;
    return inside ? LOWLAT_REASON_NONE : LOWLAT_REASON_PRICE_OUTSIDE_BAND;
}

/// Checks of a limit or market order that do not depend on the book.
lowlat_reason check_fields(const lowlat_command& command, const lowlat_symbol_rules& rules) {
    constexpr unsigned flags = LOWLAT_POST_ONLY | LOWLAT_PRICE_SLIDE | LOWLAT_ALL_OR_NONE | LOWLAT_TRAIL_BASIS_POINTS;
    if (command.side > LOWLAT_SELL) return LOWLAT_REASON_UNKNOWN_SIDE;
    if (command.time_in_force > LOWLAT_GTD) return LOWLAT_REASON_UNKNOWN_TIME_IN_FORCE;
    if ((command.flags & ~flags) != 0) return LOWLAT_REASON_UNKNOWN_FLAG;
    if (const lowlat_reason reason = check_quantity(command, rules)) return reason;
    if (command.kind == LOWLAT_MARKET) {
        if (command.price != 0) return LOWLAT_REASON_PRICE_ON_MARKET_ORDER;
    } else if (const lowlat_reason reason = check_price(rounded(command.price, command.side, rules), rules)) {
        return reason;
    }
    const bool rests = command.kind == LOWLAT_LIMIT && command.time_in_force == LOWLAT_GTC;
    if ((command.flags & LOWLAT_POST_ONLY) != 0 && !rests) return LOWLAT_REASON_POST_ONLY_CONFLICT;
    // What needs a capability that this engine does not have. lowlat does not send it.
    const bool lacking = (command.flags & ~LOWLAT_POST_ONLY) != 0 || command.time_in_force > LOWLAT_FOK;
    return lacking ? LOWLAT_REASON_TERM_NOT_FOR_KIND : LOWLAT_REASON_NONE;
}

/// Checks of what the order would trade with.
lowlat_reason check_match(const lowlat_command& command, const Order& order, const Book& book) {
    const Side across = opposite(order.side);
    if (command.time_in_force == LOWLAT_FOK && !book.has_within(order.limit(), across, order.remaining)) {
        return LOWLAT_REASON_FOK_NOT_FILLABLE;
    }
    const bool would_trade = (command.flags & LOWLAT_POST_ONLY) != 0 && book.has_any_within(order.limit(), across);
    return would_trade ? LOWLAT_REASON_POST_ONLY_WOULD_TRADE : LOWLAT_REASON_NONE;
}

// -- events -----------------------------------------------------------------------------------------------------------

/// Hands the events of one command to lowlat.
class Reporter {
  public:
    Reporter(lowlat_event_callback emit, void* to, const lowlat_command& command, std::uint64_t sequence)
        : emit_(emit), to_(to), command_(command), sequence_(sequence) {}

    void rejected(lowlat_reason reason) const {
        lowlat_event event = begin(LOWLAT_REJECTED, command_.order_id, command_.side);
        event.price = command_.price;
        event.reason = static_cast<std::uint8_t>(reason);
        emit_(to_, &event);
    }

    /// `quantity`: as asked of an order that comes in, otherwise what it lost.
    void changed(lowlat_exec_type kind, const Order& order, Quantity quantity,
                 lowlat_reason reason = LOWLAT_REASON_NONE) const {
        lowlat_event event = begin(kind, order.id, order.side);
        event.price = order.price;
        event.quantity = quantity;
        event.remaining = order.remaining;
        event.reason = static_cast<std::uint8_t>(reason);
        emit_(to_, &event);
    }

    /// Both orders are without `quantity` already.
    void traded(const Order& taker, const Order& maker, Quantity quantity, std::uint64_t trade_id) const {
        lowlat_event event = begin(LOWLAT_TRADE, taker.id, taker.side);
        event.maker_id = maker.id;
        event.price = maker.price;
        event.quantity = quantity;
        event.remaining = taker.remaining;
        event.maker_remaining = maker.remaining;
        event.trade_id = trade_id;
        emit_(to_, &event);
    }

  private:
    lowlat_event begin(lowlat_exec_type kind, Id id, Side side) const {
        lowlat_event event = {};  // fields without a meaning are zero, `zero` too
        event.sequence = sequence_;
        event.order_id = id;
        event.symbol = command_.symbol;
        event.kind = static_cast<std::uint8_t>(kind);
        event.side = side;
        event.command = command_.kind;
        return event;
    }

    lowlat_event_callback emit_;
    void* to_;
    const lowlat_command& command_;
    std::uint64_t sequence_;
};

// -- the engine -------------------------------------------------------------------------------------------------------

class Engine {
  public:
    explicit Engine(const lowlat_engine_settings& settings)
        : command_size_(settings.command_size), orders_max_(settings.orders) {
        books_.reserve(settings.symbols);
        for (std::uint32_t symbol = 0; symbol < settings.symbols; ++symbol) {
            books_.emplace_back(settings.rules[symbol], &memory_);
        }
    }

    void reset() {
        for (Book& book : books_) book.clear();
        resting_ = 0;
        sequence_ = 0;
        trades_ = 0;
    }

    void execute_all(const void* commands, std::size_t count, lowlat_event_callback emit, void* to) {
        const auto* at = static_cast<const unsigned char*>(commands);
        for (const auto* const end = at + count * command_size_; at != end; at += command_size_) {
            lowlat_command command;  // an extended one begins with it, and says no more of what is done here
            std::memcpy(&command, at, sizeof(command));
            execute(command, Reporter(emit, to, command, sequence_));
            ++sequence_;
        }
    }

  private:
    void execute(const lowlat_command& command, const Reporter& report) {
        if (command.kind < LOWLAT_LIMIT || command.kind > LOWLAT_REPLACE) {
            return report.rejected(LOWLAT_REASON_UNKNOWN_KIND);
        }
        if (command.symbol >= books_.size()) return report.rejected(LOWLAT_REASON_UNKNOWN_SYMBOL);
        Book& book = books_[command.symbol];
        switch (command.kind) {
            case LOWLAT_CANCEL:
                return cancel(command, book, report);
            case LOWLAT_REDUCE:
                return reduce(command, book, report);
            case LOWLAT_REPLACE:
                return replace(command, book, report);
            default:
                return enter(command, book, report);
        }
    }

    void enter(const lowlat_command& command, Book& book, const Reporter& report) {
        if (const lowlat_reason reason = check_fields(command, book.rules())) return report.rejected(reason);
        if (book.find(command.order_id)) return report.rejected(LOWLAT_REASON_DUPLICATE_ORDER_ID);
        const bool may_rest = command.kind == LOWLAT_LIMIT && command.time_in_force == LOWLAT_GTC;
        if (may_rest && resting_ == orders_max_) return report.rejected(LOWLAT_REASON_ORDER_POOL_FULL);
        const bool market = command.kind == LOWLAT_MARKET;
        const Price price = market ? 0 : *rounded(command.price, command.side, book.rules());
        Order order{command.order_id, price, static_cast<Quantity>(command.quantity), command.side, market};
        if (const lowlat_reason reason = check_match(command, order, book)) return report.rejected(reason);

        report.changed(LOWLAT_ACCEPTED, order, order.remaining);
        match(order, book, report);
        if (order.remaining == 0) return;
        if (may_rest) return rest(order, book);
        const Quantity left = std::exchange(order.remaining, 0);
        report.changed(LOWLAT_CANCELLED, order, left,
                       market ? LOWLAT_REASON_MARKET_REMAINDER : LOWLAT_REASON_IOC_REMAINDER);
    }

    void cancel(const lowlat_command& command, Book& book, const Reporter& report) {
        const auto found = book.find(command.order_id);
        if (!found) return report.rejected(LOWLAT_REASON_UNKNOWN_ORDER_ID);
        Order gone = take_out(*found, book);
        const Quantity left = std::exchange(gone.remaining, 0);
        report.changed(LOWLAT_CANCELLED, gone, left, LOWLAT_REASON_REQUESTED);
    }

    /// The order keeps its place.
    void reduce(const lowlat_command& command, Book& book, const Reporter& report) {
        if (const lowlat_reason reason = check_quantity(command, book.rules())) return report.rejected(reason);
        const auto found = book.find(command.order_id);
        if (!found) return report.rejected(LOWLAT_REASON_UNKNOWN_ORDER_ID);
        const auto quantity = static_cast<Quantity>(command.quantity);
        Order& order = **found;
        if (quantity > order.remaining) return report.rejected(LOWLAT_REASON_REDUCE_EXCEEDS_REMAINING);
        order.remaining -= quantity;
        report.changed(LOWLAT_REDUCED, order, quantity);
        if (order.remaining == 0) take_out(*found, book);
    }

    void replace(const lowlat_command& command, Book& book, const Reporter& report) {
        if (command.time_in_force != 0) return report.rejected(LOWLAT_REASON_UNKNOWN_TIME_IN_FORCE);
        if ((command.flags & ~LOWLAT_POST_ONLY) != 0) return report.rejected(LOWLAT_REASON_UNKNOWN_FLAG);
        if (const lowlat_reason reason = check_quantity(command, book.rules())) return report.rejected(reason);
        const auto found = book.find(command.order_id);
        const auto price = rounded(command.price, found ? (*found)->side : Side{LOWLAT_BUY}, book.rules());
        if (const lowlat_reason reason = check_price(price, book.rules())) return report.rejected(reason);
        if (!found) return report.rejected(LOWLAT_REASON_UNKNOWN_ORDER_ID);

        Order& resting = **found;
        Order order{resting.id, *price, static_cast<Quantity>(command.quantity), resting.side};
        if (order.price == resting.price && order.remaining <= resting.remaining) {  // it keeps its place
            resting.remaining = order.remaining;
            return report.changed(LOWLAT_REPLACED, order, order.remaining);
        }
        if (const lowlat_reason reason = check_match(command, order, book)) return report.rejected(reason);
        take_out(*found, book);
        report.changed(LOWLAT_REPLACED, order, order.remaining);
        match(order, book, report);
        if (order.remaining != 0) rest(order, book);
    }

    /// Trades with the other side as far as its limit reaches: best price first, oldest first.
    void match(Order& taker, Book& book, const Reporter& report) {
        const Side across = opposite(taker.side);
        while (taker.remaining != 0 && book.has_any_within(taker.limit(), across)) {
            Queue& queue = book.best(across);
            Order& maker = queue.front();
            const Quantity quantity = std::min(taker.remaining, maker.remaining);
            taker.remaining -= quantity;
            maker.remaining -= quantity;
            report.traded(taker, maker, quantity, ++trades_);
            if (maker.remaining == 0) take_out(queue.begin(), book);
        }
    }

    void rest(const Order& order, Book& book) {
        book.add(order);
        ++resting_;
    }

    Order take_out(OrderAt at, Book& book) {
        const Order order = *at;
        book.remove(at);
        --resting_;
        return order;
    }

    std::pmr::unsynchronized_pool_resource memory_;  // keeps what the books give back; outlives them
    std::vector<Book> books_;                        // by symbol
    std::size_t command_size_;
    std::size_t orders_max_;
    std::size_t resting_ = 0;  // over all symbols
    std::uint64_t sequence_ = 0;
    std::uint64_t trades_ = 0;
};

// -- the interface ----------------------------------------------------------------------------------------------------
// noexcept: an exception, as for want of memory, ends the process, as the interface asks for.

void* create(const lowlat_engine_settings* settings) noexcept {
    const auto by_time = [](const lowlat_symbol_rules& rules) { return rules.algorithm == LOWLAT_ALGORITHM_FIFO; };
    if (!std::all_of(settings->rules, settings->rules + settings->symbols, by_time)) return nullptr;
    return new Engine(*settings);
}

void destroy(void* engine) noexcept {
    delete static_cast<Engine*>(engine);
}

void reset(void* engine) noexcept {
    static_cast<Engine*>(engine)->reset();
}

void execute(void* engine, const void* commands, std::size_t count, lowlat_event_callback emit, void* to) noexcept {
    static_cast<Engine*>(engine)->execute_all(commands, count, emit, to);
}

constexpr std::uint64_t capabilities =
    LOWLAT_CAPABILITY_MARKET | LOWLAT_CAPABILITY_IOC | LOWLAT_CAPABILITY_FOK | LOWLAT_CAPABILITY_REDUCE |
    LOWLAT_CAPABILITY_REPLACE | LOWLAT_CAPABILITY_POST_ONLY | LOWLAT_CAPABILITY_RULES | LOWLAT_CAPABILITY_SYMBOLS |
    LOWLAT_CAPABILITY_REASONS | LOWLAT_CAPABILITY_TRADE_IDS;

constexpr lowlat_engine_interface interface = {
    .version = LOWLAT_ENGINE_INTERFACE_VERSION,
    .size = sizeof(lowlat_engine_interface),
    .name = "simple book",
    .engine_version = "1.0",
    .capabilities = capabilities,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .execute = execute,
    .process = nullptr,
    .drain = nullptr,
};

}  // namespace

extern "C" const lowlat_engine_interface* lowlat_get_engine_interface() {
    return &interface;
}
