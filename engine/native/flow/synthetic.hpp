// Synthetic order flow. The generator runs its commands through its own matcher, so it knows the live orders and the
// touch: it cancels only live orders, and keeps their number steady.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "engine/native/flow/aggression.hpp"
#include "engine/native/flow/drawn_orders.hpp"
#include "engine/native/flow/lifetimes.hpp"
#include "engine/native/flow/live_orders.hpp"
#include "engine/native/flow/market.hpp"
#include "engine/native/flow/placement.hpp"
#include "engine/native/flow/popularity.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

class SyntheticFlow {
  public:
    SyntheticFlow(const FlowProfile& profile, std::uint64_t seed)
        : profile_(profile),
          random_(seed),
          market_(profile),
          popularity_(profile.popularity),
          placement_(profile.placement),
          aggression_(profile.aggression),
          lifetimes_(profile) {
        // With lifetimes, cancels are not drawn: they come when times end.
        std::uint32_t weight = 0;
        for (std::size_t act = 0; act < acts; ++act) {
            all_weights_ += profile.weights[act];
            const bool drawn = static_cast<Act>(act) != Act::cancel || !lifetimes_.any();
            cumulated_[act] = weight += drawn ? profile.weights[act] : 0;
        }
    }

    /// Reserve room for this many commands, so that generating allocates no more.
    void reserve(std::uint64_t commands) {
        market_.live().reserve_ids(commands + 2 * profile_.warm_up_commands());
        market_.live().reserve_orders(profile_.live_max());
    }

    /// The seeding orders that build the book: `live_orders` of them, none aggressive. If the flow warms up, they are
    /// the orders of its book then; otherwise its first adds.
    template <typename Record>
    void seed(Record* commands) {
        if (profile_.warms_up()) {
            warm_up();
            copy_book(commands);
            // An engine that executes these commands has seen no trade, which matters to stops.
            market_.restart();
            for (std::uint32_t at = 0; at < profile_.live_orders; ++at) market_.run(commands[at]);
        } else {
            for (std::uint32_t at = 0; at < profile_.live_orders; ++at) market_.run(commands[at] = as<Record>(add(0)));
        }
        drawn_.settle(market_);
        market_.composition() = {};
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
    // -- the steady state ---------------------------------------------------------------------------------------------

    /// Most of the orders in a book are old, however active it is, so all books begin with as many orders, and these
    /// have no end: those that the steady state does not keep are canceled on the way.
    void warm_up() {
        for (std::uint32_t at = 0; at < profile_.live_orders; ++at) market_.run(add(0, at % profile_.symbols));
        drawn_.settle(market_);
        mortal_ = lifetimes_.any();
        const std::uint64_t commands = profile_.warm_up_commands();
        for (std::uint64_t at = 0; at < commands; ++at) warm_up_once();
        const LiveOrders& live = market_.live();
        for (std::uint64_t at = 0; at < commands && live.size() != profile_.live_orders; ++at) warm_up_once();
        while (live.size() < profile_.live_orders) market_.run(add(0));
        while (live.size() > profile_.live_orders) market_.run(change(CommandType::cancel, pick()));
    }

    /// A simple command that keeps every queue in the order of its ids, so that the book can be copied.
    void warm_up_once() {
        const Act act = choose();
        if (act == Act::replace) {
            market_.run(reduce(pick_resting()));
        } else {
            market_.run(make(act < Act::iceberg ? act : Act::add));
        }
    }

    /// The live orders as commands, oldest first.
    template <typename Record>
    void copy_book(Record* commands) const {
        const auto live = market_.live().all();
        std::vector<LiveOrder> oldest(live.begin(), live.end());
        std::sort(oldest.begin(), oldest.end(), [](const auto& one, const auto& other) { return one.id < other.id; });
        for (const LiveOrder& one : oldest) {
            const OrderBody& order = market_.order(one);
            Command command = change(CommandType::limit, one);
            command.price = price_of(order);
            command.quantity = order.quantity;
            command.side = byte_of(order.side);
            *commands++ = as<Record>(command);
        }
    }

    // -- what comes next ----------------------------------------------------------------------------------------------

    Act draw_act() {
        const std::uint32_t drawn = random_.below(cumulated_.back());
        const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), drawn);
        return static_cast<Act>(found - cumulated_.begin());
    }

    Act choose() {
        if (called_left_ != 0) {
            --called_left_;
            if (called_left_ == 0) return Act::auction;
        }
        if (lifetimes_.any()) {
            const Act act = choose_by_lifetimes();
            if (act == Act::cancel) cancels_owed_ -= all_weights_;
            return act;
        }
        const Act act = draw_act();
        const std::uint32_t slack = profile_.live_slack();
        const auto live = market_.live().size();
        if (adds(act)) return live < profile_.live_orders + slack ? act : Act::cancel;
        if (act == Act::cancel || live == 0) return live + slack > profile_.live_orders ? act : Act::add;
        return act;
    }

    /// An order is canceled when its time ends. The cancels owed by the mix, in weights, are kept within bounds: then
    /// some orders wait, or others are canceled early. The number of live orders is kept in the same way.
    Act choose_by_lifetimes() {
        lifetimes_.advance(market_.live());
        const auto live = market_.live().size();
        const std::uint32_t slack = profile_.live_slack();
        const std::int64_t owed_max = cancels_owed_max * all_weights_;
        cancels_owed_ += profile_.weights[static_cast<std::size_t>(Act::cancel)];
        if (live + 2 * slack < profile_.live_orders) return Act::add;
        if (live + slack >= profile_.live_orders && lifetimes_.due() && cancels_owed_ > -owed_max) return Act::cancel;
        if (cancels_owed_ > owed_max) {
            if (live > profile_.live_orders) return Act::cancel;
            cancels_owed_ = owed_max;
        }
        const Act act = draw_act();
        if (adds(act)) return live < profile_.live_orders + slack ? act : Act::cancel;
        return live == 0 ? Act::add : act;
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
                return change(CommandType::cancel, lifetimes_.due() ? lifetimes_.take() : pick());
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

    Command add(std::uint8_t flags) { return add(flags, pick_symbol()); }

    Command add(std::uint8_t flags, std::uint32_t symbol) {
        const Side side = random_.coin() ? Side::sell : Side::buy;
        const std::uint64_t id = market_.live().make_id();
        const std::int64_t price = resting_price(symbol, side);
        if (mortal_) lifetimes_.enter({id, symbol}, ticks_behind(symbol, side, price), market_.live(), random_);
        return {.order_id = id,
                .price = price,
                .quantity = resting_quantity(),
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
        const Aggression::Taking taking = take_from(symbol, opposite(side));
        return {.order_id = market_.live().make_id(),
                .price = kind == CommandType::market ? 0 : taking.price,
                .quantity = taking.quantity,
                .symbol = symbol,
                .kind = kind,
                .side = byte_of(side),
                .time_in_force = static_cast<std::uint8_t>(time_in_force),
                .flags = 0};
    }

    Aggression::Taking take_from(std::uint32_t symbol, Side from) {
        const auto draw = [&] {
            return profile_.aggressive_quantity.empty() ? 1 + random_.below(profile_.take_quantity_max)
                                                        : profile_.aggressive_quantity.draw(random_);
        };
        if (aggression_.any()) return aggression_.take(market_, symbol, from, random_, draw);
        const std::int64_t through = from == Side::sell ? profile_.take_ticks : -std::int64_t{profile_.take_ticks};
        return {market_.touch(symbol, from) + through, draw()};
    }

    std::uint32_t resting_quantity() {
        return profile_.resting_quantity.empty() ? 1 + random_.below(profile_.quantity_max)
                                                 : profile_.resting_quantity.draw(random_);
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
        command.quantity = moves ? resting_quantity() : 1 + random_.below(order.quantity);
        command.price = moves ? resting_price(live.symbol, order.side) : price_of(order);
        return command;
    }

    std::int64_t price_of(const OrderBody& order) const {
        const std::int64_t key = market_.matcher().level(order.level).key;
        return order.side == Side::buy ? ~key : key;
    }

    std::uint32_t pick_symbol() { return profile_.symbols == 1 ? 0 : popularity_.symbol_of(random_.next()); }

    LiveOrder pick() { return drawn_.next(market_, random_); }
    LiveOrder pick_resting() { return drawn_.next_resting(market_, random_); }

    std::int64_t resting_price(std::uint32_t symbol, Side side) {
        if (placement_.any()) return placement_.price(market_, symbol, side, random_);
        const std::uint32_t ticks = profile_.distance_ticks;
        const std::int64_t distance = 1 + (profile_.uniform != 0 ? random_.below(ticks) : random_.halving(ticks));
        const std::int64_t from = profile_.travel_ticks != 0 ? anchor() : market_.touch(symbol, opposite(side));
        return side == Side::buy ? from - distance : from + distance;
    }

    /// How far behind the touch of its own side a price is; 0 if it improves or joins it.
    std::uint64_t ticks_behind(std::uint32_t symbol, Side side, std::int64_t price) {
        const std::int64_t touch = market_.touch(symbol, side);
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, side == Side::buy ? touch - price : price - touch));
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
    Placement placement_;
    Aggression aggression_;
    Lifetimes lifetimes_;
    bool mortal_ = false;  // whether orders that enter have a lifetime
    std::int64_t all_weights_ = 0;
    static constexpr std::int64_t cancels_owed_max = 64;
    std::int64_t cancels_owed_ = 0;  // in weights: `all_weights_` for each
    DrawnOrders drawn_;
    std::array<std::uint32_t, acts> cumulated_{};
    std::uint64_t made_ = 0;                          // commands after the seeding ones
    static constexpr std::uint32_t lifetime = 8'192;  // maximum, of a good-till-date order, in commands
    static constexpr std::uint32_t called_for = 64;   // commands from the start of the call to the uncross
    std::uint32_t called_ = 0;                        // the symbol of the last call phase
    std::uint32_t called_left_ = 0;
};

}  // namespace lowlat
