// Executions as aggressive orders: which belong to one, what it must fill, and where an engine would differ.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/native/flow/recording/recorded_book.hpp"
#include "engine/native/flow/recording/recorded_log.hpp"
#include "engine/native/flow/recording/recorded_market.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// An execution of a resting order: event `at`.
struct RecordedExecution {
    std::int64_t at;
    std::uint64_t id;
    std::int64_t price;
    std::uint64_t quantity;
};

/// The sum, or the largest number: a garbled file may say any quantity.
inline std::uint64_t plus_or_most(std::uint64_t one, std::uint64_t other) {
    return one > std::numeric_limits<std::uint64_t>::max() - other ? std::numeric_limits<std::uint64_t>::max()
                                                                   : one + other;
}

/// The bursts that were sent: the place of each command in the log, how many fills it has, and the fills of all.
struct BurstLog {
    std::vector<std::int64_t> commands;
    std::vector<std::int64_t> counts;
    RecordedFills fills;
};

/// Collects the executions of one aggressive order, and sends it when the next event is none of them. Aggressive orders
/// are numbered from `first_id`.
class BurstRecorder {
  public:
    /// What executions of one aggressive order have in common: its id, or their time; and their side.
    using Key = std::pair<std::uint64_t, std::uint8_t>;

    /// An order that event `at` adds although it trades at once.
    struct Incoming {
        std::int64_t at;
        std::uint64_t id;
        std::uint8_t side;
        std::int64_t price;
        std::uint64_t quantity;
    };

    /// A burst whose fills sum to more than an order holds: its first event.
    struct TooMuch {
        std::int64_t event;
        std::uint64_t quantity;
    };

    BurstRecorder(RecordedMarket& market, std::uint64_t first_id) : market_(market), first_id_(first_id) {}

    const std::vector<RecordedExecution>& open() const { return open_; }
    bool is_open() const { return !open_.empty() || incoming_.has_value(); }
    const BurstLog& log() const { return log_; }
    const std::optional<TooMuch>& too_much() const { return too_much_; }

    /// Whether an execution with this key is of the open burst, or of the incoming order.
    bool continues(const Key& key) const { return is_open() && key == key_; }

    /// Whether an order traded in the last burst, at the time of this event.
    bool traded(std::uint64_t id, std::int64_t index) const {
        return makers_.contains(id) && market_.same_time(last_, index);
    }

    /// Hold an order back whose executions follow.
    void hold(const Incoming& order) {
        incoming_ = order;
        key_ = {order.id, static_cast<std::uint8_t>(1 - order.side)};
    }

    /// Add an execution to the open burst, or begin one.
    void add(const RecordedExecution& execution, const Key& key) {
        key_ = key;
        open_.push_back(execution);
    }

    /// The open burst, if there is one, is complete: send it, and enter what is left of an order held back.
    void close() {
        const std::vector<RecordedExecution> executions = std::exchange(open_, {});
        const std::optional<Incoming> incoming = std::exchange(incoming_, std::nullopt);
        if (!executions.empty()) close(executions);
        if (!incoming) return;
        std::uint64_t traded = 0;
        for (const RecordedExecution& execution : executions) traded = plus_or_most(traded, execution.quantity);
        if (traded < incoming->quantity)
            market_.add_rest(executions.empty() ? incoming->at : executions.back().at, incoming->at, incoming->id,
                             incoming->side, incoming->price, incoming->quantity - traded);
    }

  private:
    /// Quantities by order, in queue order.
    using Queue = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

    void close(const std::vector<RecordedExecution>& executions) {
        makers_.clear();
        for (const RecordedExecution& execution : executions) makers_.insert(execution.id);
        last_ = executions.back().at;
        const RecordedFills fills = expected(executions);
        if (!market_.is_continuous()) {
            for (const RecordedFill& fill : fills) {
                market_.changes().count(Change::held);
                market_.cut(executions.front().at, *market_.book().find(fill.maker), fill.quantity, Rank::at,
                            Origin::applied);
            }
            market_.reopen(last_);
        } else if (!fills.empty()) {
            send(fills, executions.front().at);
        }
    }

    /// The fills of a burst. What the book cannot fill is believed as far as it goes.
    RecordedFills expected(const std::vector<RecordedExecution>& executions) {
        RecordedFills fills;
        std::unordered_map<std::uint64_t, std::uint64_t> taken;
        RecordedChanges& changes = market_.changes();
        for (const RecordedExecution& execution : executions) {
            const RestingOrder* const order = market_.book().find(execution.id);
            if (order == nullptr) {
                changes.count(Change::unknown_order);
                continue;
            }
            const std::uint64_t left = order->quantity - taken[order->id];
            if (execution.quantity > left)
                changes.count(market_.told_anew(execution.at, order->id) ? Change::reserve : Change::more_than_shown);
            const std::uint64_t quantity = std::min(execution.quantity, left);
            if (quantity == 0) continue;
            taken[order->id] += quantity;
            if (!fills.empty() && fills.back().maker == order->id)
                fills.back().quantity += quantity;
            else
                fills.push_back({order->id, order->price, quantity});
        }
        return fills;
    }

    /// Send the aggressive order. Where an engine would fill others, its book is restored.
    void send(const RecordedFills& fills, std::int64_t first) {
        const RecordedBook& book = market_.book();
        const std::uint8_t side = book.find(fills.front().maker)->side;
        std::uint64_t quantity = 0;
        std::int64_t limit = fills.front().price;
        for (const RecordedFill& fill : fills) {
            quantity += fill.quantity;
            limit = side == recorded_sell ? std::max(limit, fill.price) : std::min(limit, fill.price);
        }
        if (quantity > quantity_max) {
            if (!too_much_) too_much_ = TooMuch{first, quantity};
            return;
        }
        RecordedFills predicted = book.fills(side, quantity, limit);
        if (predicted != fills && clear_ahead(side, fills, first)) predicted = book.fills(side, quantity, limit);
        const std::uint64_t aggressor = first_id_ + log_.commands.size();
        log_.commands.push_back(static_cast<std::int64_t>(market_.log().size()));
        log_.counts.push_back(static_cast<std::int64_t>(fills.size()));
        log_.fills.insert(log_.fills.end(), fills.begin(), fills.end());
        market_.log().add(first, Rank::at,
                          {.order_id = aggressor,
                           .price = limit,
                           .quantity = static_cast<std::uint32_t>(quantity),
                           .side = static_cast<std::uint8_t>(1 - side),
                           .force = TimeInForce::ioc});
        execute(side, fills, predicted);
    }

    /// Take out what the venue passed over: ghosts, of which no later event names what is left, and what an event of
    /// the same time takes out. Ends at an order that was alive. Whether anything was taken out.
    bool clear_ahead(std::uint8_t side, const RecordedFills& fills, std::int64_t first) {
        struct Early {
            RestingOrder* order;
            std::uint64_t excess;
            std::int64_t later;
        };
        std::unordered_map<std::uint64_t, std::uint64_t> wanted;
        for (const RecordedFill& fill : fills) wanted[fill.maker] += fill.quantity;
        std::size_t missing = wanted.size();
        std::vector<std::pair<RestingOrder*, std::uint64_t>> ghosts;
        std::vector<Early> early;
        market_.book().for_each(side, [&](RestingOrder& order) {
            const auto found = wanted.find(order.id);
            if (found != wanted.end() && --missing == 0) return false;
            const std::uint64_t excess = order.quantity - (found == wanted.end() ? 0 : found->second);
            if (excess == 0) return true;
            if (order.last <= last_) {
                ghosts.emplace_back(&order, excess);
                return true;
            }
            const auto later = market_.next_cut(last_, order);
            if (later) early.push_back({&order, excess, *later});
            return later.has_value();
        });
        for (const auto& [order, excess] : ghosts) market_.ghost(first, *order, excess, Change::ahead);
        for (const Early& each : early) {
            market_.changes().count(Change::passed);
            market_.cut_early(first, *each.order, each.later, each.excess);
        }
        return !ghosts.empty() || !early.empty();
    }

    /// Apply the file's fills; where price-time priority predicts others, restore an engine's book by commands.
    void execute(std::uint8_t side, const RecordedFills& fills, const RecordedFills& predicted) {
        RecordedBook& book = market_.book();
        const bool departs = predicted != fills;
        std::map<std::int64_t, Queue> levels;
        if (departs) {
            for (const RecordedFills* const each : {&fills, &predicted})
                for (const RecordedFill& fill : *each) levels.try_emplace(fill.price, quantities(side, fill.price));
        }
        for (const RecordedFill& fill : fills) {
            book.take(*book.find(fill.maker), fill.quantity);
            market_.settle(side, fill.price, last_);
        }
        if (!departs) return;
        market_.changes().count(Change::departures);
        for (const auto& [price, queue] : levels) market_.settle(side, price, last_);
        for (const RecordedFill& fill : predicted)
            for (auto& [id, quantity] : levels[fill.price])
                if (id == fill.maker) quantity -= fill.quantity;
        for (const auto& [price, queue] : levels) restore(side, price, queue);
    }

    Queue quantities(std::uint8_t side, std::int64_t price) const {
        Queue queue;
        for (const RestingOrder* const order : market_.book().level(side, price))
            queue.emplace_back(order->id, order->quantity);
        return queue;
    }

    /// Turn an engine's level into the file's. Both are subsets of the same earlier queue, in its order. Orders before
    /// the first one of which the engine has too little can be reduced in place; from that one on, the queue enters
    /// again.
    void restore(std::uint8_t side, std::int64_t price, const Queue& engine) {
        std::unordered_map<std::uint64_t, std::uint64_t> present;
        for (const auto& [id, quantity] : engine)
            if (quantity != 0) present.emplace(id, quantity);
        const std::vector<RestingOrder*> filed = market_.book().level(side, price);
        std::size_t again = 0;
        while (again < filed.size() && in(present, filed[again]->id) >= filed[again]->quantity) ++again;
        std::unordered_set<std::uint64_t> kept;
        for (std::size_t at = 0; at < again; ++at) kept.insert(filed[at]->id);
        for (const auto& [id, quantity] : engine)
            if (quantity != 0 && !kept.contains(id)) log({.order_id = id, .kind = CommandType::cancel});
        for (std::size_t at = 0; at < again; ++at) {
            const std::uint64_t excess = present[filed[at]->id] - filed[at]->quantity;
            if (excess == 0) continue;
            log({.order_id = filed[at]->id,
                 .quantity = static_cast<std::uint32_t>(excess),
                 .kind = CommandType::reduce});
        }
        for (std::size_t at = again; at < filed.size(); ++at) {
            filed[at]->entered = last_;
            log({.order_id = filed[at]->id,
                 .price = price,
                 .quantity = static_cast<std::uint32_t>(filed[at]->quantity),
                 .side = side});
        }
    }

    void log(LoggedCommand command) {
        command.origin = Origin::restored;
        market_.log().add(last_, Rank::at, command);
    }

    static std::uint64_t in(const std::unordered_map<std::uint64_t, std::uint64_t>& queue, std::uint64_t id) {
        const auto found = queue.find(id);
        return found == queue.end() ? 0 : found->second;
    }

    RecordedMarket& market_;
    std::uint64_t first_id_;
    std::vector<RecordedExecution> open_;
    std::optional<Incoming> incoming_;
    Key key_{0, 0};
    std::unordered_set<std::uint64_t> makers_;
    std::int64_t last_ = 0;  // the last event of the last burst
    BurstLog log_;
    std::optional<TooMuch> too_much_;
};

}  // namespace lowlat
