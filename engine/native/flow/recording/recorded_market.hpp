// One symbol's book and the commands that give an engine the same, kept in step.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/native/feed/records.hpp"
#include "engine/native/flow/recording/recorded_book.hpp"
#include "engine/native/flow/recording/recorded_events.hpp"
#include "engine/native/flow/recording/recorded_log.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// An order that the file names but never adds. It enters before event `index`; events from `first` on name it.
struct UnseenOrder {
    std::uint64_t id;
    std::int64_t index;
    std::int64_t first;
    std::int64_t last;
    std::int64_t side;
    std::int64_t price;
    std::uint64_t quantity;
};

/// Changes the book as events say, and logs the command for each change. The rules: engine/flow/recording/build.py.
class RecordedMarket {
  public:
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    RecordedMarket(const RecordedEvents& events, bool by_arrival) : events_(events), by_arrival_(by_arrival) {}

    const RecordedBook& book() const { return book_; }
    RecordedBook& book() { return book_; }
    const RecordedCommands& log() const { return log_; }
    RecordedCommands& log() { return log_; }
    RecordedChanges& changes() { return changes_; }

    TradingPhase venue_phase() const { return venue_phase_; }
    TradingPhase engine_phase() const { return engine_phase_; }
    bool is_continuous() const { return engine_phase_ == TradingPhase::continuous; }

    /// The last event up to which no order may be placed at a price any more, as when it traded.
    void settle(std::uint8_t side, std::int64_t price, std::int64_t index) { settled_[side][price] = index; }

    /// Whether an event was applied before its turn; asked once.
    bool was_done(std::int64_t index) { return !done_.empty() && done_.erase(index) != 0; }

    // -- orders that enter ------------------------------------------------------------------------------------------

    /// Enter the order of an event, where its id says that it belongs.
    void add(std::int64_t index, std::uint64_t id, std::uint8_t side, std::int64_t price, std::uint64_t quantity) {
        end_present(index, id);
        const RestingOrder order = entering(index, index, id, side, price, quantity);
        if (events_.again[index] != 0) {
            reused_.insert(id);
        } else if (id < newest_id_ && by_arrival_ && moves_up(order)) {
            return;
        }
        enter_new(index, order, Rank::clear);
    }

    /// Enter what is left of the order of an event, after what event `index` did to it.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void add_rest(std::int64_t index, std::int64_t event, std::uint64_t id, std::uint8_t side, std::int64_t price,
                  std::uint64_t quantity) {
        end_present(index, id);
        enter_new(index, entering(index, event, id, side, price, quantity), Rank::at);
    }

    /// Enter an order that no event adds. False if it would lock the book and may wait for its own first event.
    bool enter_unseen(std::int64_t index, const UnseenOrder& unseen, bool may_wait) {
        if (book_.find(unseen.id) != nullptr) return true;
        RestingOrder order{.id = unseen.id, .price = unseen.price, .quantity = unseen.quantity};
        order.entered = index;
        order.last = unseen.last;
        order.side = unseen.side != 0 ? recorded_sell : recorded_buy;
        if (!clear_way(index, order, Rank::before, Rank::clear)) {
            if (may_wait) return false;
            lock(index, Rank::clear);
        }
        take_orders(index, Rank::clear);
        enter(order, index, Rank::before, origin_before(index), younger_here(order));
        return true;
    }

    // -- orders that shrink or go -----------------------------------------------------------------------------------

    /// Take `quantity` off an order.
    void cut(std::int64_t index, RestingOrder& order, std::uint64_t quantity, Rank rank = Rank::at,
             Origin origin = Origin::recorded) {
        const bool whole = quantity == order.quantity;
        log_.add(index, rank,
                 {.order_id = order.id,
                  .quantity = whole ? 0 : static_cast<std::uint32_t>(quantity),
                  .kind = whole ? CommandType::cancel : CommandType::reduce,
                  .origin = origin});
        book_.take(order, quantity);
    }

    /// Take an execution off its order without sending an aggressive one.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void apply(std::int64_t index, std::uint64_t id, std::uint64_t quantity, Change why) {
        RestingOrder* const order = book_.find(id);
        if (order == nullptr) return changes_.count(Change::unknown_order);
        changes_.count(why);
        if (quantity > order->quantity) changes_.count(Change::more_than_shown);
        cut(index, *order, std::min(quantity, order->quantity), Rank::at, Origin::applied);
        reopen(index);
    }

    /// Take out what an order no longer had at an event, before the event's own commands if it can be.
    void ghost(std::int64_t index, RestingOrder& order, std::uint64_t quantity, Change reason,
               Rank rank = Rank::clear) {
        changes_.count(reason);
        cut(index, order, quantity, std::max(rank, rank_ahead(index, order)), Origin::removed);
    }

    bool same_time(std::int64_t one, std::int64_t other) const {
        return events_.time_ns[one] == events_.time_ns[other];
    }

    /// The next reduction or cancel of an order behind an event that has the same time. Rows of one time are one step
    /// of the venue, which may tell of it in any order.
    std::optional<std::int64_t> next_cut(std::int64_t index, const RestingOrder& order) {
        look_ahead(index);
        const auto found = cuts_.find(order.id);
        if (found == cuts_.end()) return std::nullopt;
        for (const std::int64_t at : found->second)
            if (at > index && !done_.contains(at)) return at;
        return std::nullopt;
    }

    /// Whether an event behind this one, of the same time, says what the order is afterward.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    bool told_anew(std::int64_t index, std::uint64_t id) {
        look_ahead(index);
        const auto found = upserts_.find(id);
        return found != upserts_.end() && found->second > index;
    }

    /// Apply the reduction or cancel of event `later` at an earlier one, up to a quantity.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void cut_early(std::int64_t index, RestingOrder& order, std::int64_t later, std::uint64_t most,
                   Rank rank = Rank::clear) {
        done_.insert(later);
        const bool whole = action(later) == OrderAction::cancel;
        const std::uint64_t quantity = whole ? most : std::min(most, events_.quantity.id(later));
        cut(index, order, quantity, std::max(rank, rank_ahead(index, order)), Origin::placed);
    }

    // -- phases -----------------------------------------------------------------------------------------------------

    /// The venue enters a phase.
    void announce(std::int64_t index, TradingPhase phase) {
        venue_phase_ = phase;
        if (phase != TradingPhase::continuous) return set_engine_phase(index, phase);
        for (const std::uint8_t side : {recorded_buy, recorded_sell}) {
            while (book_.crossed()) {
                const std::int64_t price = book_.best(side);
                for (RestingOrder* const order : book_.level(side, price))
                    if (order->last <= index) ghost(index, *order, order->quantity, Change::crossed);
                if (book_.front(side, price) != nullptr) break;
            }
        }
        if (book_.crossed()) lock(index, Rank::clear);
        reopen(index);
    }

    /// Let an engine trade again once the venue does and the book is neither locked nor crossed.
    void reopen(std::int64_t index) {
        if (venue_phase_ == TradingPhase::continuous && !book_.crossed())
            set_engine_phase(index, TradingPhase::continuous);
    }

    /// Put an engine into a phase.
    void set_engine_phase(std::int64_t index, TradingPhase phase, Rank rank = Rank::at) {
        if (phase == engine_phase_) return;
        engine_phase_ = phase;
        log_.add(
            index, rank,
            {.quantity = static_cast<std::uint32_t>(phase), .kind = CommandType::phase, .origin = Origin::applied});
    }

  private:
    OrderAction action(std::int64_t index) const { return static_cast<OrderAction>(events_.action[index]); }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    RestingOrder entering(std::int64_t index, std::int64_t event, std::uint64_t id, std::uint8_t side,
                          std::int64_t price, std::uint64_t quantity) const {
        RestingOrder order{.id = id, .price = price, .quantity = quantity};
        order.entered = index;
        order.last = events_.last[event];
        order.side = side;
        return order;
    }

    /// The newest add of an id counts.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void end_present(std::int64_t index, std::uint64_t id) {
        RestingOrder* const present = book_.find(id);
        if (present == nullptr) return;
        changes_.count(Change::duplicate);
        cut(index, *present, present->quantity);
    }

    /// Queue an order at the back, once there is room for it, which is made at rank `room`.
    void enter_new(std::int64_t index, const RestingOrder& order, Rank room) {
        if (!clear_way(index, order, Rank::at, room)) lock(index, room);
        take_orders(index, room);
        enter(order, index, Rank::at, Origin::recorded, nullptr);
    }

    void enter(const RestingOrder& order, std::int64_t index, Rank rank, Origin origin, RestingOrder* before) {
        book_.enter(order, before);
        if (order.id > newest_id_ && !reused_.contains(order.id)) newest_id_ = order.id;
        changes_.orders = std::max<std::uint64_t>(changes_.orders, book_.orders());
        log_.add(index, rank,
                 {.order_id = order.id,
                  .price = order.price,
                  .quantity = static_cast<std::uint32_t>(order.quantity),
                  .kind = CommandType::limit,
                  .side = order.side,
                  .origin = origin});
    }

    /// Enter an order ahead of younger ones at its price, at the time when the first of them came.
    bool moves_up(RestingOrder order) {
        RestingOrder* younger = book_.front(order.side, order.price);
        while (younger != nullptr && (younger->id <= order.id || reused_.contains(younger->id)))
            younger = younger->next;
        if (younger == nullptr) return false;
        const auto settled = settled_[order.side].find(order.price);
        if (settled != settled_[order.side].end() && settled->second >= younger->entered) return false;
        order.entered = younger->entered;
        enter(order, order.entered, Rank::before, origin_before(order.entered), younger);
        changes_.count(Change::moved_up);
        return true;
    }

    /// The first order with a larger id at its price that enters before the same event: they enter by id.
    RestingOrder* younger_here(const RestingOrder& order) const {
        RestingOrder* younger = nullptr;
        if (!by_arrival_) return younger;
        for (RestingOrder* at = book_.back(order.side, order.price); at != nullptr; at = at->previous) {
            if (at->entered != order.entered || at->id < order.id) break;
            younger = at;
        }
        return younger;
    }

    /// Make room at rank `room` for an order that enters at `rank`. False if it would lock the book all the same.
    bool clear_way(std::int64_t index, const RestingOrder& order, Rank rank, Rank room) {
        if (!is_continuous()) return true;
        const std::uint8_t other_side = 1 - order.side;
        while (book_.crossed_by(order.side, order.price)) {
            const std::int64_t price = book_.best(other_side);
            for (RestingOrder* const other : book_.level(other_side, price))
                if (!clear_one(index, order, *other, rank, room)) return false;
            if (book_.front(other_side, price) != nullptr) return false;
        }
        return true;
    }

    /// Take one order out of the way, if it was gone. False if that would come too late.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    bool clear_one(std::int64_t index, const RestingOrder& order, RestingOrder& other, Rank rank, Rank room) {
        const Rank ahead = std::max(room, rank_ahead(index, other));
        if (ahead > rank) return false;
        if (ahead == Rank::at) settle(order.side, order.price, index);
        if (other.last < index)
            ghost(index, other, other.quantity, Change::crossed, ahead);
        else if (const auto later = next_cut(index, other))
            cut_early(index, other, *later, other.quantity, ahead);
        return true;
    }

    /// Leave a phase in which an engine takes no order: the venue has taken one.
    void take_orders(std::int64_t index, Rank rank) {
        if (engine_phase_ == TradingPhase::halted || engine_phase_ == TradingPhase::closed)
            set_engine_phase(index, TradingPhase::call, rank);
    }

    /// Let both sides stand: in a call phase nothing trades.
    void lock(std::int64_t index, Rank rank) {
        changes_.count(Change::locked);
        set_engine_phase(index, TradingPhase::call, rank);
    }

    /// Find the reductions, cancels and upserts behind an event that have its time, by order.
    void look_ahead(std::int64_t index) {
        if (index < step_end_) return;
        cuts_.clear();
        upserts_.clear();
        std::int64_t at = index + 1;
        for (; at < events_.size && same_time(at, index); ++at) {
            if (action(at) == OrderAction::cancel || action(at) == OrderAction::reduce)
                cuts_[events_.order_id.id(at)].push_back(at);
            else if (action(at) == OrderAction::upsert)
                upserts_[events_.order_id.id(at)] = at;
        }
        step_end_ = at;
    }

    static Rank rank_ahead(std::int64_t index, const RestingOrder& order) {
        return order.entered < index ? Rank::clear : Rank::at;
    }

    /// The origin of an order that enters before an event.
    static Origin origin_before(std::int64_t index) { return index != 0 ? Origin::placed : Origin::seeded; }

    const RecordedEvents& events_;
    bool by_arrival_;
    RecordedBook book_;
    RecordedCommands log_;
    RecordedChanges changes_;
    TradingPhase venue_phase_ = TradingPhase::continuous;
    TradingPhase engine_phase_ = TradingPhase::continuous;
    std::array<std::unordered_map<std::int64_t, std::int64_t>, 2> settled_;
    std::unordered_set<std::int64_t> done_;
    std::unordered_set<std::uint64_t> reused_;
    std::uint64_t newest_id_ = 0;
    std::unordered_map<std::uint64_t, std::vector<std::int64_t>> cuts_;
    std::unordered_map<std::uint64_t, std::int64_t> upserts_;
    std::int64_t step_end_ = 0;
};

}  // namespace lowlat
