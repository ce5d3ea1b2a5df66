// Rules that hold for any events, whatever the matching rules: checked from the events alone, then against the book.
// Every accepted lot is traded, canceled, reduced, or still in the book; ordinals have no gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "engine/native/matching/order_rows.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat::fuzz {

class Audit {
  public:
    /// Check one command's events. Returns null, or the rule that they break.
    const char* hear(const std::vector<Event>& events) {
        if (events.empty()) return "every command has an event";
        for (const Event& event : events) {
            if (event.sequence != commands_) return "events bear the ordinal of their command";
            if (event.kind == ExecType::rejected && events.size() != 1) return "a rejection stands alone";
            if (const char* broken = hear(event)) return broken;
        }
        ++commands_;
        return nullptr;
    }

    /// Whether the books hold exactly what the events leave.
    const char* compare(const OrderStore& store) const {
        std::size_t found = 0;
        const char* broken = nullptr;
        const auto see = [&](const auto& row, std::uint64_t quantity) {
            const auto at = live_.find({row.symbol, row.order_id});
            if (at == live_.end() || at->second.left != quantity || at->second.side != row.side)
                broken = "an order in the book is what its events left of it";
            ++found;
        };
        for (std::uint32_t symbol = 0; symbol < store.symbols(); ++symbol) {
            for_each_order(store, symbol, [&](const OrderRow& row) {
                see(row, row.quantity + std::uint64_t{row.reserve_quantity});
                if (broken == nullptr && live_.at({row.symbol, row.order_id}).price != row.price)
                    broken = "an order rests at the price its events say";
            });
            for_each_stop(store, symbol, [&](const StopRow& row) { see(row, row.quantity); });
        }
        if (broken != nullptr) return broken;
        return found == live_.size() ? nullptr : "what was accepted and has not ended is in the book";
    }

  private:
    struct Left {
        std::uint64_t left;
        std::int64_t price;
        std::uint8_t side;
    };
    using Live = std::map<std::pair<std::uint32_t, std::uint64_t>, Left>;

    const char* hear(const Event& event) {
        const bool of_an_order = event.command != CommandType::advance_time && event.command != CommandType::phase;
        switch (event.kind) {
            case ExecType::rejected:
                return event.quantity == 0 && event.remaining == 0 ? nullptr : "a rejection moves nothing";
            case ExecType::accepted:
                if (!of_an_order) return nullptr;
                if (event.remaining != event.quantity || event.quantity == 0) return "an order comes in whole";
                return live_.try_emplace({event.symbol, event.order_id}, Left{event.remaining, event.price, event.side})
                               .second
                           ? nullptr
                           : "an id is one live order's";
            default:
                break;
        }
        const auto order = live_.find({event.symbol, event.order_id});
        if (order == live_.end()) return "an event is about a live order";
        Left& left = order->second;
        if (event.kind == ExecType::trade) return hear_trade(event, order);
        if (left.side != event.side) return "an order stays on its side";
        if (const char* broken = apply(event, left); broken != nullptr) return broken;
        if (event.remaining != left.left) return "an event says what its order has left";
        if (left.left == 0) live_.erase(order);
        return nullptr;
    }

    /// Apply an event other than a trade to its order.
    static const char* apply(const Event& event, Left& left) {
        switch (event.kind) {
            case ExecType::replaced:
                left.left = event.quantity;
                left.price = event.price;
                break;
            case ExecType::cancelled:
            case ExecType::reduced:
                if (event.quantity == 0 || event.quantity > left.left) return "no more is taken off than there is";
                left.left -= event.quantity;
                if (event.kind == ExecType::cancelled && left.left != 0) return "a canceled order is gone";
                break;
            case ExecType::triggered:
                if (event.quantity != left.left) return "an order is triggered with all it has";
                break;
            case ExecType::refilled:
                if (event.quantity == 0 || event.quantity > left.left) return "a slice is of what is left";
                break;
            default:
                return "an event's kind is known";
        }
        return nullptr;
    }

    const char* hear_trade(const Event& event, Live::iterator taker) {
        const auto maker = live_.find({event.symbol, event.maker_id});
        if (event.trade_id != ++trades_) return "trades are numbered without a gap";
        if (maker == live_.end() || maker->second.side == taker->second.side) return "a trade has two live sides";
        if (event.quantity == 0 || event.quantity > taker->second.left || event.quantity > maker->second.left)
            return "no more is traded than both have";
        taker->second.left -= event.quantity;
        maker->second.left -= event.quantity;
        if (event.remaining != taker->second.left || event.maker_remaining != maker->second.left)
            return "a trade says what both have left";
        if (taker->second.left == 0) live_.erase(taker);
        if (maker->second.left == 0) live_.erase(maker);
        return nullptr;
    }

    Live live_;
    std::uint64_t commands_ = 0;
    std::uint64_t trades_ = 0;
};

}  // namespace lowlat::fuzz
