// The simple engine's state of an order, and of a symbol.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/native/matching/records.hpp"

namespace lowlat::fuzz {

struct SimpleOrder {
    std::uint64_t id;
    std::uint64_t accepted;  // ordinal of the command that entered it
    std::uint32_t symbol;
    CommandType kind;
    TimeInForce time_in_force;
    std::uint8_t side;
    std::uint8_t flags;
    std::uint32_t participant_id;
    SelfTradePrevention self_trade;
    std::uint64_t expiry;
    std::int64_t price;  // 0 without a limit
    std::int64_t left;
    std::int64_t display_quantity;
    std::int64_t slice = 0;  // the part of `left` that queues
    std::int64_t trigger;
    std::int64_t distance;  // of a trailing stop: as asked, and the best trade since it came
    std::int64_t best_trade = 0;
    std::uint64_t age = 0;  // of a stop at its trigger: the lower, the older

    bool stop() const { return kind >= CommandType::stop && kind <= CommandType::trailing_stop; }
    bool limited() const { return kind == CommandType::limit || kind == CommandType::stop_limit; }
    bool at_once() const { return time_in_force == TimeInForce::ioc || time_in_force == TimeInForce::fok; }
    bool may_rest() const { return limited() && !at_once(); }
    bool all_or_none() const { return (flags & flag_all_or_none) != 0; }
    bool post_only() const { return (flags & flag_post_only) != 0; }
    bool slide() const { return (flags & flag_price_slide) != 0; }
    bool in_basis_points() const { return (flags & flag_trail_basis_points) != 0; }
    bool whole_or_not() const { return all_or_none() || time_in_force == TimeInForce::fok; }

    /// Whether its limit, if it has one, lets it trade with an order of the other side.
    bool reaches(const SimpleOrder& maker) const {
        if (side == maker.side) return false;
        return !limited() || (side == 0 ? price >= maker.price : price <= maker.price);
    }
    /// What to do when it would trade with a resting order.
    SelfTradePrevention policy_toward(const SimpleOrder& maker) const {
        return participant_id != 0 && participant_id == maker.participant_id ? self_trade : SelfTradePrevention::none;
    }
    /// Whether a stop is due at this last trade.
    bool reached_by(std::int64_t last) const { return side == 0 ? trigger <= last : trigger >= last; }
};

/// Everything is a search from the front, among a few dozen orders.
struct SimpleBook {
    std::vector<SimpleOrder> resting;  // oldest first, whatever the price
    std::vector<SimpleOrder> waiting;
    std::vector<SimpleOrder> due;
    std::optional<std::int64_t> last;
    TradingPhase phase = TradingPhase::continuous;
};

}  // namespace lowlat::fuzz
