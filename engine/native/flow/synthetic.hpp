// Synthetic order flow. The generator runs its commands through its own matcher, so it knows the live orders and the
// touch: it cancels only live orders, and keeps their number steady.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/native/flow/live_orders.hpp"
#include "engine/native/flow/market.hpp"
#include "engine/native/flow/popularity.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

class SyntheticFlow {
  public:
    SyntheticFlow(const FlowProfile& profile, std::uint64_t seed)
        : profile_(profile), random_(seed), market_(profile), popularity_(profile.symbols) {
        std::uint32_t weight = 0;
        for (std::size_t act = 0; act < acts; ++act) cumulated_[act] = weight += profile.weights[act];
    }

    /// Reserve room for this many order ids, so that generating allocates no more.
    void reserve(std::uint64_t commands) { market_.live().reserve(commands); }

    /// The seeding orders that build the book: `live_orders` of them, none aggressive.
    template <typename Record>
    void seed(Record* commands) {
        for (std::uint32_t at = 0; at < profile_.live_orders; ++at) market_.run(commands[at] = as<Record>(add(0)));
        market_.composition() = {};
        for (Pick& pick : picks_) settle(pick);
    }

    template <typename Record>
    void generate(Record* commands, std::uint64_t count) {
        for (std::uint64_t at = 0; at < count; ++at) {
            const Act act = choose();
            Record& command = commands[at];
            if constexpr (std::is_same_v<Record, Command>) {
                command = make(act);
            } else {
                command = make_with_attributes(act);
            }
            const bool instead = act == Act::replace && command.kind == CommandType::cancel;
            ++market_.composition().commands[static_cast<std::size_t>(instead ? Act::cancel : act)];
            market_.run(command);
            market_.observe();
            ++made_;
        }
    }

    const FlowComposition& composition() const { return market_.composition(); }

  private:
    /// A drawn order, until it is used.
    struct Pick {
        std::uint32_t draw = 0;
        LiveOrder live{};
        Matcher::Ahead ahead{};
    };

    Act choose() {
        if (called_left_ != 0) {
            --called_left_;
            if (called_left_ == 0) return Act::auction;
        }
        const std::uint32_t drawn = random_.below(cumulated_.back());
        const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), drawn);
        const Act act = static_cast<Act>(found - cumulated_.begin());
        const std::uint32_t slack = profile_.live_orders / 16 + 1;
        const auto live = market_.live().size();
        if (adds(act)) return live < profile_.live_orders + slack ? act : Act::cancel;
        if (act == Act::cancel || live == 0) return live + slack > profile_.live_orders ? act : Act::add;
        return act;
    }

    static bool adds(Act act) {
        return act == Act::add || act == Act::post_only || (act >= Act::iceberg && act <= Act::trailing_stop);
    }

    Command make(Act act) {
        switch (act) {
            case Act::add:
                return add(0);
            case Act::post_only:
                return add(flag_post_only);
            case Act::take:
                return take(CommandType::limit, TimeInForce::gtc);
            case Act::market:
                return take(CommandType::market, TimeInForce::ioc);
            case Act::ioc:
                return take(CommandType::limit, TimeInForce::ioc);
            case Act::fok:
                return take(CommandType::limit, TimeInForce::fok);
            case Act::cancel:
                return change(CommandType::cancel, pick());
            case Act::reduce:
                return reduce(pick());
            case Act::replace:
                return replace(pick_resting());
            default:
                break;
        }
        broken("an act has a simple command");
    }

    template <typename Record>
    static Record as(const Command& command) {
        Record record{};
        static_cast<Command&>(record) = command;
        return record;
    }

    // -- commands with attributes
    // ----------------------------------------------------------------------------------------

    ExtendedCommand make_with_attributes(Act act) {
        if (act == Act::clock || act == Act::auction)
            return as<ExtendedCommand>(act == Act::clock ? clock() : auction());
        ExtendedCommand command = act < Act::iceberg ? as<ExtendedCommand>(make(act)) : make_entering(act);
        const bool enters = is_order(command);
        if (enters && profile_.owners != 0) {
            command.participant_id = 1 + random_.below(profile_.owners);
            command.self_trade = static_cast<SelfTradePrevention>(random_.below(5));
        }
        // In a call phase, commands that would be rejected become resting orders.
        const Book& book = market_.book(command.symbol);
        if (enters && book.phase == TradingPhase::call && !is_stop(command)) {
            if (command.kind == CommandType::market) command.price = market_.touch(command.symbol, side_of(command));
            command.kind = CommandType::limit;
            if (for_a_moment(command)) command.time_in_force = static_cast<std::uint8_t>(TimeInForce::gtc);
            command.flags = 0;
        }
        return command;
    }

    ExtendedCommand make_entering(Act act) {
        ExtendedCommand command =
            as<ExtendedCommand>(act == Act::slide ? take(CommandType::limit, TimeInForce::gtc) : add(0));
        const Book& book = market_.book(command.symbol);
        switch (act) {
            case Act::iceberg:
                command.display_quantity = 1 + random_.below(static_cast<std::uint32_t>(command.quantity));
                break;
            case Act::all_or_none:
                if (book.rules.algorithm == MatchAlgorithm::fifo) command.flags = flag_all_or_none;
                break;
            case Act::slide:
                command.flags = flag_post_only | flag_price_slide;
                break;
            case Act::day:
                command.time_in_force = static_cast<std::uint8_t>(TimeInForce::day);
                break;
            case Act::gtd:
                command.time_in_force = static_cast<std::uint8_t>(TimeInForce::gtd);
                command.expiry = made_ + 1 + random_.below(lifetime);
                break;
            default:
                if (book.traded) make_stop(command, act, book.last);
        }
        return command;
    }

    /// Before the first trade a stop has no reference price: then it stays a limit order.
    void make_stop(ExtendedCommand& command, Act act, std::int64_t last) {
        const std::int64_t away = 1 + random_.halving(profile_.distance_ticks);
        const std::int64_t trigger = side_of(command) == Side::buy ? last + away : last - away;
        if (act == Act::stop_limit) {
            command.kind = CommandType::stop_limit;
            command.price = trigger;
        } else {
            command.kind = act == Act::stop ? CommandType::stop : CommandType::trailing_stop;
            command.price = 0;
        }
        command.trigger = act == Act::trailing_stop ? away : trigger;
    }

    Command clock() const {
        Command command{};
        command.kind = CommandType::advance_time;
        command.quantity = static_cast<std::int64_t>(made_);
        return command;
    }

    /// Starts a book's call phase, or uncrosses the book that is in one.
    Command auction() {
        Command command{};
        command.kind = CommandType::phase;
        const bool begins = market_.book(called_).phase == TradingPhase::continuous;
        if (begins) {
            called_ = pick_symbol();
            called_left_ = called_for;
        }
        command.quantity = static_cast<std::int64_t>(begins ? TradingPhase::call : TradingPhase::continuous);
        command.symbol = called_;
        return command;
    }

    // -- commands without -------------------------------------------------------------------------------------------

    Command add(std::uint8_t flags) {
        const std::uint32_t symbol = pick_symbol();
        const Side side = random_.coin() ? Side::sell : Side::buy;
        return {.order_id = market_.live().make_id(),
                .price = resting_price(symbol, side),
                .quantity = 1 + random_.below(profile_.quantity_max),
                .symbol = symbol,
                .kind = CommandType::limit,
                .side = byte_of(side),
                .time_in_force = 0,
                .flags = flags};
    }

    Command take(CommandType kind, TimeInForce time_in_force) {
        const std::uint32_t symbol = pick_symbol();
        const bool sells = falling() ? random_.below(4) != 0 : random_.coin();
        const Side side = sells ? Side::sell : Side::buy;
        const std::int64_t through = side == Side::buy ? profile_.take_ticks : -std::int64_t{profile_.take_ticks};
        return {.order_id = market_.live().make_id(),
                .price = kind == CommandType::market ? 0 : market_.touch(symbol, opposite(side)) + through,
                .quantity = 1 + random_.below(profile_.take_quantity_max),
                .symbol = symbol,
                .kind = kind,
                .side = byte_of(side),
                .time_in_force = static_cast<std::uint8_t>(time_in_force),
                .flags = 0};
    }

    static Command change(CommandType kind, const LiveOrder& live) {
        return {.order_id = live.id,
                .price = 0,
                .quantity = 0,
                .symbol = live.symbol,
                .kind = kind,
                .side = 0,
                .time_in_force = 0,
                .flags = 0};
    }

    Command reduce(const LiveOrder& live) {
        Command command = change(CommandType::reduce, live);
        command.quantity = 1 + random_.below(market_.order(live).quantity);
        return command;
    }

    /// Half of the replacements move to a new price, half shrink in place. If only stops are left, one is canceled.
    Command replace(const LiveOrder& live) {
        if (market_.waits(live)) return change(CommandType::cancel, live);
        Command command = change(CommandType::replace, live);
        const OrderBody& order = market_.order(live);
        const bool moves = random_.coin();
        command.quantity = 1 + random_.below(moves ? profile_.quantity_max : order.quantity);
        const std::int64_t key = market_.matcher().level(order.level).key;
        command.price = moves ? resting_price(live.symbol, order.side) : (order.side == Side::buy ? ~key : key);
        return command;
    }

    std::uint32_t pick_symbol() { return profile_.symbols == 1 ? 0 : popularity_.symbol_of(random_.next()); }

    /// A random live order. It was drawn a few picks earlier, so that its memory is in cache by now; if it has gone in
    /// the meantime, another is drawn.
    LiveOrder pick() {
        market_.matcher().fetch_neighbors_of(picks_[(turn_ + 2) % picks_.size()].ahead);
        market_.matcher().fetch_node_of(picks_[(turn_ + 4) % picks_.size()].ahead);
        settle(picks_[(turn_ + 8) % picks_.size()]);
        Pick& due = picks_[turn_ % picks_.size()];
        const LiveOrder picked = due.live;
        due.draw = static_cast<std::uint32_t>(random_.next() >> 32);
        prefetch(&market_.live().draw(due.draw));
        ++turn_;
        return market_.live().has(picked.id) ? picked
                                             : market_.live().draw(static_cast<std::uint32_t>(random_.next() >> 32));
    }

    /// A resting order, because a waiting stop has no price to replace; may be a stop if hardly any order rests.
    LiveOrder pick_resting() {
        LiveOrder picked = pick();
        for (std::uint32_t tries = 8; tries > 0 && market_.waits(picked); --tries) picked = pick();
        return picked;
    }

    void settle(Pick& pick) {
        pick.live = market_.live().draw(pick.draw);
        pick.ahead = market_.matcher().look_ahead(change(CommandType::cancel, pick.live));
        market_.live().fetch_position_of(pick.live.id);
    }

    std::int64_t resting_price(std::uint32_t symbol, Side side) {
        const std::uint32_t ticks = profile_.distance_ticks;
        const std::int64_t distance = 1 + (profile_.uniform != 0 ? random_.below(ticks) : random_.halving(ticks));
        const std::int64_t from = profile_.travel_ticks != 0 ? anchor() : market_.touch(symbol, opposite(side));
        return side == Side::buy ? from - distance : from + distance;
    }

    std::uint64_t ticks_traveled() const {
        return made_ * profile_.travel_per_1000 / 1000 % (2 * std::uint64_t{profile_.travel_ticks});
    }
    bool falling() const { return profile_.travel_ticks != 0 && ticks_traveled() < profile_.travel_ticks; }
    std::int64_t anchor() const {
        const std::uint64_t gone = ticks_traveled();
        const std::uint64_t down =
            gone < profile_.travel_ticks ? gone : 2 * std::uint64_t{profile_.travel_ticks} - gone;
        return SyntheticMarket::opening_price - static_cast<std::int64_t>(down);
    }

    FlowProfile profile_;
    Random random_;
    SyntheticMarket market_;
    Popularity popularity_;
    std::array<Pick, 16> picks_{};
    std::uint64_t turn_ = 0;
    std::array<std::uint32_t, acts> cumulated_{};
    std::uint64_t made_ = 0;                          // commands after the seeding ones
    static constexpr std::uint32_t lifetime = 8'192;  // maximum, of a good-till-date order, in commands
    static constexpr std::uint32_t called_for = 64;   // commands from the start of the call to the uncross
    std::uint32_t called_ = 0;                        // the symbol of the last call phase
    std::uint32_t called_left_ = 0;
};

}  // namespace lowlat
