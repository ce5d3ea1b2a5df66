// The market of a synthetic flow: its own matcher, and the state that its events show.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/flow/live_orders.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Executes a flow's commands, and tracks the live orders, the touch and the composition so far.
class SyntheticMarket {
  public:
    static constexpr std::int64_t opening_price = 100'000;

    explicit SyntheticMarket(const FlowProfile& profile)
        : matcher_(size_for(profile)), last_touch_(profile.symbols, opening_touch(profile.placement.spread_ticks)) {}

    const Matcher& matcher() const { return matcher_; }
    const Book& book(std::uint32_t symbol) const { return matcher_.books()[symbol]; }
    LiveOrders& live() { return live_; }
    const LiveOrders& live() const { return live_; }
    FlowComposition& composition() { return composition_; }
    const FlowComposition& composition() const { return composition_; }

    /// A live order.
    const OrderBody& order(const LiveOrder& live) const { return matcher_.order(matcher_.find(live.id, live.symbol)); }
    bool waits(const LiveOrder& live) const { return (order(live).attributes & attribute_waits) != 0; }

    /// The best price of a side; if it is empty, the last one it had.
    std::int64_t touch(std::uint32_t symbol, Side side) {
        const Ladder& ladder = book(symbol).ladders[side];
        std::int64_t& last = last_touch_[symbol][side];
        if (ladder.best() != nil) last = side == Side::buy ? ~ladder.best_key() : ladder.best_key();
        return last;
    }

    template <typename Record>
    void run(const Record& command) {
        const std::uint32_t before = levels_of(command);
        executed_ = command.order_id;
        touched_ = 0;
        resting_ = 0;
        Follower follower(this);
        matcher_.execute(command, follower);
        follower.finish();
        if (resting_ != 0 && !live_.has(command.order_id)) live_.add({command.order_id, command.symbol});
        if (resting_ == 0 && live_.has(command.order_id)) live_.remove(command.order_id);
        levels_ += levels_of(command) - before;
        if (touched_ != 0) {
            ++composition_.aggressors;
            composition_.levels_touched += touched_;
            composition_.levels_touched_max = std::max(composition_.levels_touched_max, touched_);
        }
    }

    /// Forget all orders and trades.
    void restart() {
        matcher_.reset();
        live_.clear();
        levels_ = 0;
    }

    /// Add the current state of the book to the composition.
    void observe() {
        composition_.live_sum += live_.size();
        composition_.live_max = std::max<std::uint64_t>(composition_.live_max, live_.size());
        composition_.levels_sum += levels_;
        composition_.levels_max = std::max<std::uint64_t>(composition_.levels_max, levels_);
        const Ladder& bids = book(0).ladders[Side::buy];
        if (bids.best() == nil) return;
        composition_.touch_min = std::min(composition_.touch_min, ~bids.best_key());
        composition_.touch_max = std::max(composition_.touch_max, ~bids.best_key());
    }

  private:
    /// Both sides' best prices before the first order.
    static PerSide<std::int64_t> opening_touch(std::int64_t spread) {
        return {opening_price - spread / 2, opening_price - spread / 2 + spread};
    }

    static EngineConfig size_for(const FlowProfile& profile) {
        // Twice the live orders, so that the pool is never full.
        return EngineConfig{.symbols = profile.rules(),
                            .orders = 2 * profile.live_orders + 64,
                            .trades = 1,
                            .when_orders_dry = PoolPolicy::reject,
                            .when_trades_dry = PoolPolicy::recycle};
    }

    /// Sink of one command's events, which updates the list of live orders.
    struct Follower {
        explicit Follower(SyntheticMarket* its_market) : market(its_market) {}
        Event& next() {
            finish();
            pending = true;
            return event;
        }
        void finish() {
            if (pending) market->follow(event);
            pending = false;
        }
        Event event{};
        SyntheticMarket* market;
        bool pending = false;
    };

    /// Number of levels in the books that a command may change.
    std::uint32_t levels_of(const Command& command) const {
        const auto levels = [](const Book& book) {
            return book.ladders[Side::buy].levels() + book.ladders[Side::sell].levels();
        };
        if (command.kind != CommandType::advance_time) return levels(book(command.symbol));
        std::uint32_t sum = 0;
        for (const Book& book : matcher_.books()) sum += levels(book);
        return sum;
    }

    void follow(const Event& event) {
        if (event.kind == ExecType::rejected) ++composition_.rejects;
        if (event.order_id == executed_) {
            resting_ = event.remaining;
        } else if (event.remaining == 0 && live_.has(event.order_id)) {
            live_.remove(event.order_id);  // triggered, expired or prevented
        }
        if (event.kind != ExecType::trade) return;
        ++composition_.trades;
        if (touched_ == 0 || event.price != touched_price_) ++touched_;
        touched_price_ = event.price;
        if (event.maker_id == executed_) {
            resting_ = event.maker_remaining;  // of a triggered order that it met after coming to rest
        } else if (event.maker_remaining == 0 && live_.has(event.maker_id)) {
            live_.remove(event.maker_id);
        }
    }

    Matcher matcher_;
    LiveOrders live_;
    std::vector<PerSide<std::int64_t>> last_touch_;
    std::uint64_t executed_ = 0;  // the order of the current command
    std::uint64_t touched_ = 0;
    std::int64_t touched_price_ = 0;
    std::uint32_t resting_ = 0;
    std::uint32_t levels_ = 0;
    FlowComposition composition_;
};

}  // namespace lowlat
