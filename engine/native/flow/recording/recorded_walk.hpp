// One symbol's events, one by one, as changes of its market.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/native/feed/records.hpp"
#include "engine/native/flow/recording/auction_recorder.hpp"
#include "engine/native/flow/recording/burst_recorder.hpp"
#include "engine/native/flow/recording/recorded_events.hpp"
#include "engine/native/flow/recording/recorded_log.hpp"
#include "engine/native/flow/recording/recorded_market.hpp"
#include "engine/native/flow/recording/undisplayed_orders.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Goes through one symbol's events once.
class RecordedWalk {
  public:
    /// `unseen`: orders that no event adds. `aggressors`: ids of orders that are added and that executions name as the
    /// aggressive one. `first_id`: of the aggressive orders that are made up. The events stay where they are.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    RecordedWalk(const RecordedEvents& events, std::vector<UnseenOrder> unseen,
                 std::unordered_set<std::uint64_t> aggressors, std::uint64_t first_id, bool by_arrival)
        : events_(events),
          unseen_(std::move(unseen)),
          aggressors_(std::move(aggressors)),
          market_(events_, by_arrival),
          bursts_(market_, first_id),
          auctions_(market_) {
        for (std::size_t number = 0; number < unseen_.size(); ++number)
            entering_.emplace(unseen_[number].index, number);
    }
    RecordedWalk(const RecordedWalk&) = delete;
    RecordedWalk& operator=(const RecordedWalk&) = delete;

    /// The venue's own book, if there is one.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void compare_with(const std::int64_t* wider, std::int64_t rows, const std::int64_t* displayed,
                      std::int64_t levels) {
        undisplayed_.emplace(market_, wider, rows, displayed, levels);
    }

    /// Go through the next events, for about this long: an event may take milliseconds, as where a level of many orders
    /// is restored. Returns how many are left.
    std::int64_t run(std::chrono::milliseconds duration) {
        const auto end = std::chrono::steady_clock::now() + duration;
        while (next_ < events_.size) {
            take(next_++);
            if (next_ % clock_events == 0 && std::chrono::steady_clock::now() >= end) break;
        }
        if (next_ == events_.size) {
            bursts_.close();
            auctions_.settle();
        }
        return events_.size - next_;
    }

    RecordedMarket& market() { return market_; }
    const BurstRecorder& bursts() const { return bursts_; }
    const AuctionRecorder& auctions() const { return auctions_; }

  private:
    /// The clock is read once in so many events.
    static constexpr std::int64_t clock_events = 16;

    OrderAction action(std::int64_t index) const { return static_cast<OrderAction>(events_.action[index]); }
    std::uint64_t id(std::int64_t index) const { return events_.order_id.id(index); }
    std::uint64_t quantity(std::int64_t index) const { return events_.quantity.id(index); }
    std::uint8_t side(std::int64_t index) const { return events_.side[index] != 0 ? recorded_sell : recorded_buy; }

    void take(std::int64_t index) {
        if (action(index) == OrderAction::execute) return execute(index);
        if (const auto why = without_command(index)) return market_.changes().count(*why);
        if (bursts_.is_open()) bursts_.close();
        auctions_.settle();
        if (undisplayed_) {
            undisplayed_->take_out(reached_, index);
            reached_ = index;
        }
        enter_unseen(index);
        if (market_.was_done(index)) return;
        apply(index);
        if (market_.engine_phase() != market_.venue_phase()) market_.reopen(index);
    }

    std::optional<Change> without_command(std::int64_t index) const {
        switch (action(index)) {
            case OrderAction::add:
            case OrderAction::reduce:
            case OrderAction::cancel:
            case OrderAction::replace:
            case OrderAction::upsert:
            case OrderAction::clear:
            case OrderAction::phase:
                return std::nullopt;
            case OrderAction::trade:
                return Change::hidden;
            case OrderAction::cross:
                return Change::cross;
            case OrderAction::bust:
                return Change::bust;
            default:
                return Change::unknown_action;
        }
    }

    void apply(std::int64_t index) {
        switch (action(index)) {
            case OrderAction::add:
                return add(index);
            case OrderAction::replace:
                return replace(index);
            case OrderAction::upsert:
                return upsert(index);
            case OrderAction::clear:
                for (RestingOrder* const order : market_.book().by_entry()) market_.cut(index, *order, order->quantity);
                return;
            case OrderAction::phase:
                if (quantity(index) > static_cast<std::uint64_t>(TradingPhase::closed))
                    return market_.changes().count(Change::unknown_phase);
                return market_.announce(index, static_cast<TradingPhase>(quantity(index)));
            default:
                return cut(index);
        }
    }

    void add(std::int64_t index) {
        const std::int64_t price = events_.price[index];
        if (id(index) == 0 || quantity(index) == 0) return market_.changes().count(Change::no_order);
        const bool trades = !aggressors_.empty() && aggressors_.contains(id(index)) && market_.is_continuous() &&
                            market_.book().crossed_by(side(index), price);
        if (trades) return bursts_.hold({index, id(index), side(index), price, quantity(index)});
        market_.add(index, id(index), side(index), price, quantity(index));
    }

    /// A reduction or cancel: what it says is believed.
    void cut(std::int64_t index) {
        RestingOrder* const order = market_.book().find(id(index));
        RecordedChanges& changes = market_.changes();
        if (order == nullptr) return changes.count(Change::unknown_order);
        const std::int64_t price = events_.price[index];
        const bool whole = action(index) == OrderAction::cancel;
        if (price != 0 && (price != order->price || side(index) != order->side)) changes.count(Change::differs);
        if (!whole && quantity(index) > order->quantity) changes.count(Change::more_than_shown);
        market_.cut(index, *order, whole ? order->quantity : std::min(quantity(index), order->quantity));
    }

    void replace(std::int64_t index) {
        RestingOrder* const order = market_.book().find(id(index));
        std::uint8_t of = side(index);
        if (order == nullptr) {
            market_.changes().count(Change::unknown_order);
        } else {
            of = order->side;
            market_.cut(index, *order, order->quantity);
        }
        const std::uint64_t entering = events_.other_id.id(index);
        if (entering == 0 || quantity(index) == 0) return market_.changes().count(Change::no_order);
        market_.add(index, entering, of, events_.price[index], quantity(index));
    }

    void upsert(std::int64_t index) {
        RestingOrder* const order = market_.book().find(id(index));
        const std::int64_t price = events_.price[index];
        const std::uint64_t now = quantity(index);
        const bool stays = order != nullptr && order->side == side(index) && order->price == price;
        if (stays && now != 0 && now <= order->quantity) {
            if (now < order->quantity) market_.cut(index, *order, order->quantity - now);
            return;
        }
        if (now != 0 && bursts_.traded(id(index), index)) market_.changes().count(Change::refilled);
        if (order != nullptr) market_.cut(index, *order, order->quantity);
        if (now != 0) market_.add(index, id(index), side(index), price, now);
    }

    /// An execution: of an aggressive order, or in an auction, whose trades are the venue's.
    void execute(std::int64_t index) {
        const RecordedExecution execution{index, id(index), events_.price[index], quantity(index)};
        const RestingOrder* order = market_.book().find(execution.id);
        const std::uint64_t aggressor = events_.other_id.id(index);
        const BurstRecorder::Key key{aggressor != 0 ? aggressor : events_.time_ns.id(index),
                                     order == nullptr ? side(index) : order->side};
        const bool auction =
            (events_.flags[index] & event_flag_auction) != 0 || market_.venue_phase() != TradingPhase::continuous;
        if (auction || !bursts_.continues(key)) bursts_.close();
        const auto& open = auctions_.open();
        if (!open.empty() && !(auction && market_.same_time(open.front().at, index))) auctions_.settle();
        if (undisplayed_) {
            if (bursts_.open().empty()) undisplayed_->take_out(reached_, index);
            reached_ = index;
        }
        enter_unseen(index);
        order = market_.book().find(execution.id);
        const bool elsewhere = order != nullptr && execution.price != 0 && execution.price != order->price;
        if (!auction && !elsewhere) return bursts_.add(execution, key);
        bursts_.close();
        if (auction)
            auctions_.add(execution);
        else
            market_.apply(index, execution.id, execution.quantity, Change::elsewhere);
    }

    /// Enter the orders that no event adds and that are due.
    void enter_unseen(std::int64_t index) {
        if (entering_.empty() || entering_.top().first > index) return;
        const auto& executions = bursts_.open().empty() ? auctions_.open() : bursts_.open();
        const std::int64_t at = executions.empty() ? index : executions.front().at;
        while (!entering_.empty() && entering_.top().first <= index) {
            const auto [due, number] = entering_.top();
            entering_.pop();
            const UnseenOrder& order = unseen_[number];
            if (!market_.enter_unseen(due != 0 ? at : 0, order, order.first > index))
                entering_.emplace(order.first, number);
        }
    }

    using Due = std::pair<std::int64_t, std::size_t>;

    RecordedEvents events_;
    std::vector<UnseenOrder> unseen_;
    std::unordered_set<std::uint64_t> aggressors_;
    RecordedMarket market_;
    BurstRecorder bursts_;
    AuctionRecorder auctions_;
    std::optional<UndisplayedOrders> undisplayed_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> entering_;
    std::int64_t reached_ = -1;
    std::int64_t next_ = 0;
};

}  // namespace lowlat
