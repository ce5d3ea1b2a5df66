// A tiny engine behind lowlat_engine.h: put yours in its place.
// SPDX-License-Identifier: MIT-0
//
// One symbol, price then time: limit orders that rest or are immediate or cancel, market orders, cancels, reduces. Its
// lists and maps take memory as they go; a fast engine takes it in create.
#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>

#include "lowlat_engine.h"

namespace {

struct Order {
    uint64_t id;
    int64_t price;
    uint32_t remaining;
    uint8_t side;
};

using Queue = std::list<Order>;  // the orders of one price, oldest first

/// Where a price stands on its side of the book: less is better. ~ reverses the order and cannot overflow.
int64_t rank_of(uint8_t side, int64_t price) {
    return side == LOWLAT_BUY ? ~price : price;
}

class Engine {
  public:
    explicit Engine(const lowlat_engine_settings& settings)
        : command_size_(settings.command_size), orders_max_(settings.orders) {}

    void reset() {
        for (auto& levels : levels_) levels.clear();
        by_id_.clear();
        sequence_ = trades_ = 0;
    }

    void execute(const void* commands, size_t count, lowlat_event_callback emit, void* to) {
        emit_ = emit;
        to_ = to;
        for (const auto* at = static_cast<const char*>(commands); count != 0; --count, at += command_size_) {
            std::memcpy(&command_, at, sizeof(command_));
            if (!can_be_executed()) {
                report(LOWLAT_REJECTED, {command_.order_id, command_.price, 0, command_.side}, 0);
            } else if (command_.kind == LOWLAT_CANCEL) {
                cancel(by_id_.at(command_.order_id));
            } else if (command_.kind == LOWLAT_REDUCE) {
                reduce(by_id_.at(command_.order_id));
            } else {
                enter({command_.order_id, command_.price, static_cast<uint32_t>(command_.quantity), command_.side});
            }
            ++sequence_;
        }
    }

  private:
    bool can_be_executed() const {
        if (command_.symbol != 0) return false;
        const auto found = by_id_.find(command_.order_id);
        const bool known = found != by_id_.end();
        if (command_.kind == LOWLAT_CANCEL) return known;
        if (command_.quantity <= 0 || command_.quantity > LOWLAT_QUANTITY_MAX) return false;
        if (command_.kind == LOWLAT_REDUCE) return known && command_.quantity <= found->second->remaining;
        if (known || command_.side > LOWLAT_SELL || command_.time_in_force > LOWLAT_IOC) return false;
        if (command_.flags != 0) return false;
        if (command_.kind == LOWLAT_MARKET) return command_.price == 0;
        return command_.kind == LOWLAT_LIMIT && (command_.time_in_force == LOWLAT_IOC || by_id_.size() < orders_max_);
    }

    void cancel(Queue::iterator order) {
        report_canceled(*order, LOWLAT_REASON_REQUESTED);
        take_out(order);
    }

    void reduce(Queue::iterator order) {
        const auto quantity = static_cast<uint32_t>(command_.quantity);
        order->remaining -= quantity;
        report(LOWLAT_REDUCED, *order, quantity);
        if (order->remaining == 0) take_out(order);
    }

    void enter(Order order) {
        report(LOWLAT_ACCEPTED, order, order.remaining);
        match(order);
        if (order.remaining == 0) return;
        if (command_.kind == LOWLAT_MARKET) {
            report_canceled(order, LOWLAT_REASON_MARKET_REMAINDER);
        } else if (command_.time_in_force == LOWLAT_IOC) {
            report_canceled(order, LOWLAT_REASON_IOC_REMAINDER);
        } else {
            Queue& queue = levels_[order.side][rank_of(order.side, order.price)];
            by_id_[order.id] = queue.insert(queue.end(), order);
        }
    }

    void match(Order& taker) {
        const uint8_t across = taker.side == LOWLAT_BUY ? LOWLAT_SELL : LOWLAT_BUY;
        auto& levels = levels_[across];
        while (taker.remaining != 0 && !levels.empty()) {
            const auto best = levels.begin();
            if (command_.kind == LOWLAT_LIMIT && best->first > rank_of(across, taker.price)) return;
            const Queue::iterator maker = best->second.begin();
            const uint32_t quantity = std::min(taker.remaining, maker->remaining);
            taker.remaining -= quantity;
            maker->remaining -= quantity;
            report(LOWLAT_TRADE, taker, quantity, LOWLAT_REASON_NONE, &*maker);
            if (maker->remaining == 0) take_out(maker);
        }
    }

    void take_out(Queue::iterator order) {
        auto& levels = levels_[order->side];
        const auto level = levels.find(rank_of(order->side, order->price));
        by_id_.erase(order->id);
        level->second.erase(order);
        if (level->second.empty()) levels.erase(level);
    }

    void report_canceled(Order order, lowlat_reason reason) {
        const uint32_t left = std::exchange(order.remaining, 0);
        report(LOWLAT_CANCELLED, order, left, reason);
    }

    /// `maker`: of a trade, the resting order. What each kind of event says is in lowlat's matching contract: "Events".
    void report(lowlat_exec_type kind, const Order& order, uint32_t quantity, lowlat_reason reason = LOWLAT_REASON_NONE,
                const Order* maker = nullptr) {
        lowlat_event event = {};  // what a kind does not say is zero
        event.sequence = sequence_;
        event.order_id = order.id;
        event.price = order.price;
        event.quantity = quantity;
        event.remaining = order.remaining;
        event.symbol = command_.symbol;
        event.kind = static_cast<uint8_t>(kind);
        event.side = order.side;
        event.reason = static_cast<uint8_t>(reason);
        event.command = command_.kind;
        if (maker != nullptr) {
            event.price = maker->price;
            event.maker_id = maker->id;
            event.maker_remaining = maker->remaining;
            event.trade_id = ++trades_;
        }
        emit_(to_, &event);
    }

    std::map<int64_t, Queue> levels_[2];  // by side, then by rank of the price
    std::unordered_map<uint64_t, Queue::iterator> by_id_;
    size_t command_size_;
    size_t orders_max_;
    uint64_t sequence_ = 0;
    uint64_t trades_ = 0;
    lowlat_command command_ = {};  // under way
    lowlat_event_callback emit_ = nullptr;
    void* to_ = nullptr;
};

// noexcept: an exception, as for want of memory, ends the process, as the interface asks. The two functions that are
// nullptr, process and drain, are for an engine that fills a buffer.
constexpr lowlat_engine_interface interface = {
    LOWLAT_ENGINE_INTERFACE_VERSION,
    sizeof(lowlat_engine_interface),
    "tiny",
    "0.1",
    LOWLAT_CAPABILITY_MARKET | LOWLAT_CAPABILITY_IOC | LOWLAT_CAPABILITY_REDUCE | LOWLAT_CAPABILITY_TRADE_IDS,
    [](const lowlat_engine_settings* settings) noexcept -> void* { return new Engine(*settings); },
    [](void* engine) noexcept { delete static_cast<Engine*>(engine); },
    [](void* engine) noexcept { static_cast<Engine*>(engine)->reset(); },
    [](void* engine, const void* commands, size_t count, lowlat_event_callback emit, void* to) noexcept {
        static_cast<Engine*>(engine)->execute(commands, count, emit, to);
    },
    nullptr,
    nullptr,
};

}  // namespace

const lowlat_engine_interface* lowlat_get_engine_interface() {
    return &interface;
}
