// Executes a flow, and records what each of its commands meets in the book.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/flow/order_lives.hpp"
#include "engine/native/flow/records.hpp"
#include "engine/native/matching/book.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/order_attributes.hpp"
#include "engine/native/matching/order_node.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"

namespace lowlat {

/// Follows the commands of one flow through a matcher that nobody else uses meanwhile.
class FlowFollower {
  public:
    explicit FlowFollower(OwnedMatcher& matcher) : matcher_(matcher) {}

    /// Execute `count` commands; `out` has room for as many rows.
    template <typename Record>
    void follow(const Record* commands, std::uint64_t count, FollowedCommand* out) {
        const ExclusiveUse claim(matcher_);
        for (std::uint64_t at = 0; at < count; ++at) {
            out[at] = look(commands[at]);
            execute(commands[at], out[at]);
            ++number_;
        }
    }

    /// No command follows: end the lives of all orders.
    void finish() { lives_.end_all(number_); }

    OrderLives& lives() { return lives_; }

  private:
    static bool changes(CommandType kind) {
        return kind == CommandType::cancel || kind == CommandType::reduce || kind == CommandType::replace;
    }

    static OrderLives::Key key_of(const Command& command) { return {command.order_id, command.symbol}; }

    // -- before -----------------------------------------------------------------------------------------------------

    /// What the command finds. Every field of a command is untrusted.
    FollowedCommand look(const Command& command) const {
        FollowedCommand row{};
        row.symbol = command.symbol;
        if (command.symbol >= matcher_.books().size()) return row;
        const Book& book = matcher_.books()[command.symbol];
        row.spread = spread(book);
        if (changes(command.kind)) {
            row.lifetime = static_cast<std::uint32_t>(lives_.commands(key_of(command), number_));
            look_at_order(book, matcher_.find(command.order_id, command.symbol), row);
            return row;
        }
        if (command.quantity > 0 && command.quantity <= quantity_max)
            row.quantity = static_cast<std::uint32_t>(command.quantity);
        if (!is_side(command.side)) return row;
        row.touch_quantity = touch_quantity(book.ladders[opposite(side_of(command))]);
        if (command.kind == CommandType::limit) look_at_price(book, command, row);
        return row;
    }

    static std::int64_t spread(const Book& book) {
        const auto& [bids, asks] = book.ladders.of;
        return bids.best() == nil || asks.best() == nil ? 0 : asks.best_key() - ~bids.best_key();
    }

    std::uint32_t touch_quantity(const Ladder& ladder) const {
        if (ladder.best() == nil) return 0;
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>(matcher_.level(ladder.best()).quantity, quantity_max));
    }

    void look_at_price(const Book& book, const Command& command, FollowedCommand& row) const {
        const Ladder& ladder = book.ladders[side_of(command)];
        const std::int64_t key = book.key_of(side_of(command), command.price);
        const Handle level = ladder.look(key);
        row.ahead = level == nil ? 0 : matcher_.level(level).order_count;
        place(key, ladder, row);
    }

    void look_at_order(const Book& book, Handle handle, FollowedCommand& row) const {
        if (handle == nil) return;
        const OrderBody& order = matcher_.order(handle);
        row.quantity = order.quantity + matcher_.reserve_quantity(order);
        if ((order.attributes & attribute_waits) != 0) return;
        const LevelBody& level = matcher_.level(order.level);
        row.touch_quantity = touch_quantity(book.ladders[opposite(order.side)]);
        row.behind = orders_behind(handle);
        row.ahead = level.order_count - 1 - row.behind;
        place(level.key, book.ladders[order.side], row);
    }

    /// The difference only wraps for a price that the engine rejects.
    static void place(std::int64_t key, const Ladder& ladder, FollowedCommand& row) {
        if (ladder.best() == nil) return;
        row.placed = 1;
        row.distance =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(ladder.best_key()));
    }

    std::uint32_t orders_behind(Handle handle) const {
        const Handle level = matcher_.order(handle).level;
        std::uint32_t count = 0;
        for (Handle at = matcher_.nodes()[handle].next; at != level && count < behind_max;
             at = matcher_.nodes()[at].next)
            ++count;
        return count;
    }

    // -- after ------------------------------------------------------------------------------------------------------

    /// Sink of one command's events.
    struct Events {
        Events(FlowFollower& its_follower, const Command& command, FollowedCommand& its_row)
            : follower(its_follower), row(its_row), own(key_of(command)) {}
        Event& next() {
            finish();
            pending = true;
            return event;
        }
        void finish() {
            if (pending) take();
            pending = false;
        }
        void take() {
            if (event.kind == ExecType::rejected) row.accepted = 0;
            if (event.kind == ExecType::trade) return trade();
            if (event.remaining != 0 || (event.kind != ExecType::cancelled && event.kind != ExecType::reduced)) return;
            const bool asked = event.reason == Reason::requested || event.reason == Reason::none;
            end(event.order_id, asked ? LifeEnd::canceled : LifeEnd::lost);
        }
        void trade() {
            if (event.remaining == 0 && event.order_id != own.id) end(event.order_id, LifeEnd::filled);
            if (event.maker_remaining == 0) end(event.maker_id, LifeEnd::filled);
            if (event.order_id != own.id) return;
            if (row.makers == 0 || event.price != price) ++row.levels_filled;
            price = event.price;
            row.filled += event.quantity;
            ++row.makers;
        }
        void end(std::uint64_t id, LifeEnd how) { follower.lives_.end({id, event.symbol}, follower.number_, how); }

        Event event{};
        FlowFollower& follower;
        FollowedCommand& row;
        std::int64_t price = 0;
        OrderLives::Key own;
        bool pending = false;
    };

    template <typename Record>
    void execute(const Record& command, FollowedCommand& row) {
        const std::uint32_t levels_before = levels_of(command);
        row.accepted = 1;
        Events events(*this, command, row);
        matcher_.execute(command, events);
        events.finish();
        const bool enters = command.kind < CommandType::advance_time && row.accepted != 0;
        if (enters && matcher_.find(command.order_id, command.symbol) != nil) {
            row.rests = 1;
            lives_.begin(key_of(command), number_, row);
        } else if (command.kind == CommandType::replace && row.accepted != 0) {
            lives_.end(key_of(command), number_, LifeEnd::filled);
        }
        levels_ += levels_of(command) - levels_before;
        row.levels = levels_;
        row.live = matcher_.live_orders();
    }

    /// Number of levels in the books that a command may change.
    std::uint32_t levels_of(const Command& command) const {
        const auto levels = [](const Book& book) {
            return book.ladders[Side::buy].levels() + book.ladders[Side::sell].levels();
        };
        if (command.kind != CommandType::advance_time)
            return command.symbol < matcher_.books().size() ? levels(matcher_.books()[command.symbol]) : 0;
        std::uint32_t sum = 0;
        for (const Book& book : matcher_.books()) sum += levels(book);
        return sum;
    }

    /// A queue is walked no further: otherwise each cancel in a queue of a million orders would take milliseconds.
    static constexpr std::uint32_t behind_max = 1'000;

    OwnedMatcher& matcher_;
    OrderLives lives_;
    std::uint64_t number_ = 0;
    std::uint32_t levels_ = 0;
};

}  // namespace lowlat
