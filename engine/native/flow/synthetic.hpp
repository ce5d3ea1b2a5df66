// Synthetic order flow. The generator runs the commands it makes through a matcher of its own, so that it knows
// which orders are live and where the touch is: a flood cancels only what is there, and holds its live orders.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// What a command of a flood is for. `take` is a limit order priced through the touch.
enum class Act : std::uint8_t {
    add,
    cancel,
    take,
    market,
    ioc,
    fok,
    post_only,
    reduce,
    replace,
    // From here on commands have terms, or are for all of a book: such a flood is made of wide commands.
    iceberg,
    all_or_none,
    slide,
    day,
    gtd,
    stop,
    stop_limit,
    trailing_stop,
    clock,
    auction,
};
inline constexpr std::size_t acts = 19;

/// A profile, all in integers; validated and documented in Python (engine/flow/profile.py).
struct FloodProfile {
    std::array<std::uint32_t, acts> weights{};
    std::uint32_t symbols = 1;
    std::uint32_t live_orders = 0;     // held to within a sixteenth
    std::uint32_t distance_ticks = 1;  // from the touch: the half-life, or the range when `uniform`
    std::uint32_t uniform = 0;
    std::uint32_t quantity_max = 1;       // of a resting order
    std::uint32_t take_quantity_max = 1;  // of an aggressive one
    std::uint32_t take_ticks = 0;         // how far through the touch an aggressive limit is priced
    std::uint32_t travel_ticks = 0;       // 0: orders are placed from the touch; else from an anchor that goes this
    std::uint32_t travel_per_1000 = 0;    // far down and up again, so many ticks in 1,000 commands
    std::uint32_t owners = 0;             // of the orders that come in, each with a policy of its own; 0: nobody's
    std::uint32_t pro_rata = 0;           // so many symbols, the last ones, share pro rata

    std::vector<SymbolRules> rules() const {
        // Prices stay in a band that cannot overflow.
        constexpr std::int64_t far = std::int64_t{1} << 40;
        std::vector<SymbolRules> all(symbols, SymbolRules{1, 1, -far, far});
        for (std::uint32_t symbol = symbols - pro_rata; symbol < symbols; ++symbol)
            all[symbol].algorithm = MatchAlgorithm::pro_rata;
        return all;
    }
};

/// What the flood turned out to be, over the commands behind the seeding ones.
struct FloodComposition {
    std::array<std::uint64_t, acts> commands{};
    std::uint64_t trades = 0;
    std::uint64_t rejects = 0;
    std::uint64_t aggressors = 0;      // commands that traded
    std::uint64_t levels_touched = 0;  // by them, in sum
    std::uint64_t levels_touched_max = 0;
    std::uint64_t live_sum = 0;  // over commands, for the mean
    std::uint64_t live_max = 0;
    std::uint64_t levels_sum = 0;
    std::uint64_t levels_max = 0;
    std::int64_t touch_min = std::numeric_limits<std::int64_t>::max();  // best prices seen, symbol 0
    std::int64_t touch_max = std::numeric_limits<std::int64_t>::min();
};

class Flood {
  public:
    static constexpr std::int64_t opening_price = 100'000;

    Flood(const FloodProfile& profile, std::uint64_t seed)
        : profile_(profile), random_(seed), matcher_(sized_for(profile)) {
        // Zipf's law with exponent one: weight 2^32/rank, exact in integers.
        std::uint64_t sum = 0;
        for (std::uint64_t rank = 1; rank <= profile.symbols; ++rank)
            popularity_.push_back(sum += (std::uint64_t{1} << 32) / rank);
        for (std::uint64_t share = 0; share < guides; ++share)
            guide_[share] =
                static_cast<std::uint32_t>(std::upper_bound(popularity_.begin(), popularity_.end(),
                                                            high_product(share * (~std::uint64_t{0} / guides), sum)) -
                                           popularity_.begin());
        std::uint32_t weight = 0;
        for (std::size_t act = 0; act < acts; ++act) cumulated_[act] = weight += profile.weights[act];
        position_.reserve(std::size_t{1} << 16);
        position_.push_back(0);  // no order has id 0
    }

    /// Room for so many order ids, so that generating allocates no more.
    void reserve(std::uint64_t commands) { position_.reserve(commands + 1); }

    /// Orders that build the book before the flood proper: `live_orders` of them, none aggressive.
    template <typename Record>
    void seed(Record* commands) {
        for (std::uint32_t at = 0; at < profile_.live_orders; ++at) run(commands[at] = as<Record>(add(0)));
        composition_ = {};
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
                command = with_terms(act);
            }
            const bool instead = act == Act::replace && command.kind == CommandType::cancel;
            ++composition_.commands[static_cast<std::size_t>(instead ? Act::cancel : act)];
            run(command);
            observe();
            ++made_;
        }
    }

    const FloodComposition& composition() const { return composition_; }

  private:
    struct Live {
        std::uint64_t id;
        std::uint32_t symbol;
    };

    /// An order to be picked, from draw to use.
    struct Pick {
        std::uint32_t draw = 0;
        Live live{};
        Matcher::Ahead ahead{};
    };

    static EngineConfig sized_for(const FloodProfile& profile) {
        // Twice the orders held: a flood never meets a full pool.
        return EngineConfig{.symbols = profile.rules(),
                            .orders = 2 * profile.live_orders + 64,
                            .trades = 1,
                            .when_orders_dry = PoolPolicy::refuse,
                            .when_trades_dry = PoolPolicy::recycle};
    }

    Act choose() {
        if (called_left_ != 0) {
            --called_left_;
            if (called_left_ == 0) return Act::auction;
        }
        const std::uint32_t drawn = random_.below(cumulated_.back());
        const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), drawn);
        const Act act = static_cast<Act>(found - cumulated_.begin());
        const std::uint32_t slack = profile_.live_orders / 16 + 1;
        const auto live = static_cast<std::uint32_t>(live_.size());
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
        broken("an act has a plain command");
    }

    template <typename Record>
    static Record as(const Command& command) {
        Record record{};
        static_cast<Command&>(record) = command;
        return record;
    }

    // -- commands with terms ----------------------------------------------------------------------------------------

    ExtendedCommand with_terms(Act act) {
        if (act == Act::clock || act == Act::auction)
            return as<ExtendedCommand>(act == Act::clock ? clock() : auction());
        ExtendedCommand command = act < Act::iceberg ? as<ExtendedCommand>(make(act)) : entering(act);
        const bool enters = is_order(command);
        if (enters && profile_.owners != 0) {
            command.participant_id = 1 + random_.below(profile_.owners);
            command.self_trade = static_cast<SelfTradePrevention>(random_.below(5));
        }
        // While a book is called, whatever would not be taken comes in as an order that rests.
        const Book& book = matcher_.books()[command.symbol];
        if (enters && book.phase == TradingPhase::call && !is_stop(command)) {
            if (command.kind == CommandType::market) command.price = touch(command.symbol, command.side);
            command.kind = CommandType::limit;
            if (for_a_moment(command)) command.time_in_force = static_cast<std::uint8_t>(TimeInForce::gtc);
            command.flags = 0;
        }
        return command;
    }

    ExtendedCommand entering(Act act) {
        ExtendedCommand command =
            as<ExtendedCommand>(act == Act::slide ? take(CommandType::limit, TimeInForce::gtc) : add(0));
        const Book& book = matcher_.books()[command.symbol];
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

    /// Before the first trade there is nothing to be triggered by: then it stays a limit order.
    void make_stop(ExtendedCommand& command, Act act, std::int64_t last) {
        const std::int64_t away = 1 + random_.halving(profile_.distance_ticks);
        const std::int64_t trigger = command.side == 0 ? last + away : last - away;
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

    /// Calls a book, or uncrosses the one that was called.
    Command auction() {
        Command command{};
        command.kind = CommandType::phase;
        const bool begins = matcher_.books()[called_].phase == TradingPhase::continuous;
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
        const std::uint8_t side = random_.coin() ? 1 : 0;
        return {.order_id = new_id(),
                .price = resting_price(symbol, side),
                .quantity = 1 + random_.below(profile_.quantity_max),
                .symbol = symbol,
                .kind = CommandType::limit,
                .side = side,
                .time_in_force = 0,
                .flags = flags};
    }

    Command take(CommandType kind, TimeInForce time_in_force) {
        const std::uint32_t symbol = pick_symbol();
        const std::uint8_t side = falling() ? (random_.below(4) != 0 ? 1 : 0) : random_.coin() ? 1 : 0;
        const std::int64_t through = side == 0 ? profile_.take_ticks : -std::int64_t{profile_.take_ticks};
        return {.order_id = new_id(),
                .price = kind == CommandType::market ? 0 : touch(symbol, side ^ 1) + through,
                .quantity = 1 + random_.below(profile_.take_quantity_max),
                .symbol = symbol,
                .kind = kind,
                .side = side,
                .time_in_force = static_cast<std::uint8_t>(time_in_force),
                .flags = 0};
    }

    static Command change(CommandType kind, const Live& live) {
        return {.order_id = live.id,
                .price = 0,
                .quantity = 0,
                .symbol = live.symbol,
                .kind = kind,
                .side = 0,
                .time_in_force = 0,
                .flags = 0};
    }

    Command reduce(const Live& live) {
        Command command = change(CommandType::reduce, live);
        command.quantity = 1 + random_.below(body(live).quantity);
        return command;
    }

    /// Half of the replacements move to a new price, half shrink in place. Where only stops are left, one is cancelled.
    Command replace(const Live& live) {
        if (waits(live)) return change(CommandType::cancel, live);
        Command command = change(CommandType::replace, live);
        const OrderBody& order = body(live);
        const bool moves = random_.coin();
        command.quantity = 1 + random_.below(moves ? profile_.quantity_max : order.quantity);
        const std::int64_t key = matcher_.nodes()[order.level].level.key;
        command.price = moves ? resting_price(live.symbol, order.side) : (order.side == 0 ? ~key : key);
        return command;
    }

    std::uint64_t new_id() {
        position_.push_back(0);
        return ++last_id_;
    }

    std::uint32_t pick_symbol() {
        if (profile_.symbols == 1) return 0;
        const std::uint64_t random = random_.next();
        const std::uint64_t drawn = high_product(random, popularity_.back());
        std::uint32_t symbol = guide_[random / (~std::uint64_t{0} / guides + 1)];
        while (popularity_[symbol] <= drawn) ++symbol;
        return symbol;
    }

    /// The product's upper 64 bits: `random` scaled down to below `limit`.
    static std::uint64_t high_product(std::uint64_t random, std::uint64_t limit) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>(static_cast<Wide>(random) * limit >> 64);
    }

    /// A random live order. It was drawn some picks ago, so that what the matcher will touch is in cache by now; when
    /// it has gone since, another is drawn.
    Live pick() {
        matcher_.fetch_neighbours_of(picks_[(turn_ + 2) % picks_.size()].ahead);
        matcher_.fetch_node_of(picks_[(turn_ + 4) % picks_.size()].ahead);
        settle(picks_[(turn_ + 8) % picks_.size()]);
        Pick& due = picks_[turn_ % picks_.size()];
        const Live picked = due.live;
        due.draw = static_cast<std::uint32_t>(random_.next() >> 32);
        prefetch(&drawn(due.draw));
        ++turn_;
        return position_[picked.id] != 0 ? picked : drawn(static_cast<std::uint32_t>(random_.next() >> 32));
    }

    bool waits(const Live& live) const { return (body(live).terms & term_waits) != 0; }

    /// One that rests, since a stop that waits has no price to be replaced; unless hardly any does.
    Live pick_resting() {
        Live picked = pick();
        for (std::uint32_t tries = 8; tries > 0 && waits(picked); --tries) picked = pick();
        return picked;
    }

    const Live& drawn(std::uint32_t draw) const { return live_[draw * std::uint64_t{live_.size()} >> 32]; }

    void settle(Pick& pick) {
        pick.live = drawn(pick.draw);
        pick.ahead = matcher_.look_ahead(change(CommandType::cancel, pick.live));
        prefetch(&position_[pick.live.id]);
    }

    const OrderBody& body(const Live& live) const {
        const Handle handle = matcher_.find(live.id, live.symbol, matcher_.index().tag(live.id, live.symbol));
        return matcher_.nodes()[handle].order;
    }

    std::int64_t resting_price(std::uint32_t symbol, std::uint32_t side) {
        const std::uint32_t ticks = profile_.distance_ticks;
        const std::int64_t distance = 1 + (profile_.uniform != 0 ? random_.below(ticks) : random_.halving(ticks));
        const std::int64_t from = profile_.travel_ticks != 0 ? anchor() : touch(symbol, side ^ 1);
        return side == 0 ? from - distance : from + distance;
    }

    /// The best price of a side; of an empty one, the last it had.
    std::int64_t touch(std::uint32_t symbol, std::uint32_t side) {
        const Ladder& ladder = matcher_.books()[symbol].ladders[side];
        std::int64_t& last = last_touch_[2 * symbol + side];
        if (ladder.best() != nil) last = side == 0 ? ~ladder.best_key() : ladder.best_key();
        return last;
    }

    std::uint64_t travelled() const {
        return made_ * profile_.travel_per_1000 / 1000 % (2 * std::uint64_t{profile_.travel_ticks});
    }
    bool falling() const { return profile_.travel_ticks != 0 && travelled() < profile_.travel_ticks; }
    std::int64_t anchor() const {
        const std::uint64_t gone = travelled();
        const std::uint64_t down =
            gone < profile_.travel_ticks ? gone : 2 * std::uint64_t{profile_.travel_ticks} - gone;
        return opening_price - static_cast<std::int64_t>(down);
    }

    /// Takes the events of one command, to keep the list of live orders.
    struct Follower {
        explicit Follower(Flood* its_flood) : flood(its_flood) {}
        Event& next() {
            finish();
            pending = true;
            return event;
        }
        void finish() {
            if (pending) flood->follow(event);
            pending = false;
        }
        Event event{};
        Flood* flood;
        bool pending = false;
    };

    /// Levels of the books that a command may change.
    std::uint32_t levels_of(const Command& command) const {
        const auto levels = [](const Book& book) { return book.ladders[0].levels() + book.ladders[1].levels(); };
        if (command.kind != CommandType::advance_time) return levels(matcher_.books()[command.symbol]);
        std::uint32_t sum = 0;
        for (const Book& book : matcher_.books()) sum += levels(book);
        return sum;
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
        if (resting_ != 0 && position_[command.order_id] == 0) enlist({command.order_id, command.symbol});
        if (resting_ == 0 && position_[command.order_id] != 0) strike(command.order_id);
        levels_ += levels_of(command) - before;
        if (touched_ != 0) {
            ++composition_.aggressors;
            composition_.levels_touched += touched_;
            composition_.levels_touched_max = std::max(composition_.levels_touched_max, touched_);
        }
    }

    void follow(const Event& event) {
        if (event.kind == ExecType::rejected) ++composition_.rejects;
        if (event.order_id == executed_) {
            resting_ = event.remaining;
        } else if (event.remaining == 0 && position_[event.order_id] != 0) {
            strike(event.order_id);  // triggered, expired or prevented
        }
        if (event.kind != ExecType::trade) return;
        ++composition_.trades;
        if (touched_ == 0 || event.price != touched_price_) ++touched_;
        touched_price_ = event.price;
        if (event.maker_id == executed_) {
            resting_ = event.maker_remaining;  // of a triggered order that it met after it came to rest
        } else if (event.maker_remaining == 0 && position_[event.maker_id] != 0) {
            strike(event.maker_id);
        }
    }

    void enlist(const Live& live) {
        live_.push_back(live);
        position_[live.id] = static_cast<std::uint32_t>(live_.size());
    }

    void strike(std::uint64_t id) {
        const std::uint32_t at = position_[id] - 1;
        live_[at] = live_.back();
        position_[live_[at].id] = at + 1;
        live_.pop_back();
        position_[id] = 0;
    }

    void observe() {
        composition_.live_sum += live_.size();
        composition_.live_max = std::max<std::uint64_t>(composition_.live_max, live_.size());
        composition_.levels_sum += levels_;
        composition_.levels_max = std::max<std::uint64_t>(composition_.levels_max, levels_);
        const Ladder& bids = matcher_.books()[0].ladders[0];
        if (bids.best() == nil) return;
        composition_.touch_min = std::min(composition_.touch_min, ~bids.best_key());
        composition_.touch_max = std::max(composition_.touch_max, ~bids.best_key());
    }

    FloodProfile profile_;
    Random random_;
    Matcher matcher_;
    std::vector<std::uint64_t> popularity_;
    static constexpr std::uint64_t guides = 4096;
    std::array<std::uint32_t, guides> guide_{};  // where the search for a drawn popularity starts
    std::array<Pick, 16> picks_{};
    std::uint64_t turn_ = 0;
    std::array<std::uint32_t, acts> cumulated_{};
    std::vector<Live> live_;
    std::vector<std::uint32_t> position_;  // of each id ever given: one more than its place in live_, 0 when gone
    std::vector<std::int64_t> last_touch_ = std::vector<std::int64_t>(std::size_t{2} * profile_.symbols, opening_price);
    std::uint64_t last_id_ = 0;
    std::uint64_t made_ = 0;
    static constexpr std::uint32_t lifetime = 8'192;  // of a good-till-date order, in commands, at most
    static constexpr std::uint32_t called_for = 64;   // commands from call to uncross
    std::uint32_t called_ = 0;                        // the symbol last called
    std::uint32_t called_left_ = 0;
    std::uint64_t executed_ = 0;  // the order of the command under way
    std::uint64_t touched_ = 0;
    std::int64_t touched_price_ = 0;
    std::uint32_t resting_ = 0;
    std::uint32_t levels_ = 0;
    FloodComposition composition_;
};

}  // namespace lowlat
