// The market data from the matcher to its publisher: after each command, the new state of the levels it changed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/native/bench/latencies.hpp"
#include "engine/native/matching/event_hash.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"
#include "engine/native/rings/mpsc_ring.hpp"
#include "engine/native/rings/spsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace lowlat {

/// A command on its way to the matcher, with the ticks at which it was due and sent.
struct alignas(64) SentCommand : Command {
    std::uint64_t due;
    std::uint64_t sent;
    std::uint64_t number;  // its position among all commands of the pass
    std::uint64_t zero;
};
static_assert(sizeof(SentCommand) == 64);

/// One record of market data: the new state of a level, if `has_level`. Each command emits one or more; the last one
/// holds its outcome and timestamps.
struct alignas(64) MarketData {
    std::int64_t price;
    std::uint64_t quantity;
    std::uint32_t order_count;
    std::uint32_t symbol;
    Side side;
    bool has_level;
    bool ends_command;
    Operation operation;
    std::uint32_t zero;
    std::uint64_t due;
    std::uint64_t sent;
    std::uint64_t taken;
    std::uint64_t matched;
};
static_assert(sizeof(MarketData) == 64);

/// When a command was taken from its ring, and when it was matched.
struct MatchTicks {
    std::uint64_t taken;
    std::uint64_t matched;
};

using OrderRing = MpscRing<SentCommand>;
using MarketDataRing = SpscRing<MarketData>;

/// The matcher's end of the market data: an event sink that finds the changed levels.
///
/// The last update of a command is held back until the command has ended, so that it can mark the end.
class MarketDataFeed {
  public:
    /// `events`: `mask + 1` of them, which stay in cache: each event is written in full, then overwritten.
    MarketDataFeed(const Matcher& matcher, MarketDataRing ring, WaitStrategy wait, Event* events, std::uint64_t mask)
        : matcher_(matcher), ring_(ring), backoff_(wait), events_(events), mask_(mask) {}

    LOWLAT_INLINE Event& next() {
        read_last();
        return events_[count_++ & mask_];
    }

    /// Before a command: records what its events will not contain.
    LOWLAT_INLINE void begin(const Command& command) {
        traded_.reset();
        left_.reset();
        // No event names the level that a replaced order leaves.
        if (unlikely(command.kind == CommandType::replace)) left_ = price_of_order(command);
    }

    /// After the command, with its timestamps.
    LOWLAT_INLINE void end(const SentCommand& order, MatchTicks ticks) {
        read_last();
        const Event& last = events_[(count_ - 1) & mask_];
        if (traded_) emit_level(last.symbol, opposite(side_of(last)), *traded_);
        if (const auto price = price_changed(order, last)) emit_level(last.symbol, side_of(last), *price);
        if (left_ && last.kind != ExecType::rejected && *left_ != order.price) [[unlikely]]
            emit_level(last.symbol, side_of(last), *left_);
        if (unlikely(pending_ == nullptr)) {
            pending_ = &slot();
            pending_->has_level = false;
        }
        pending_->ends_command = true;
        pending_->operation = operation_of(order.kind, last.kind, traded_.has_value());
        pending_->due = order.due;
        pending_->sent = order.sent;
        pending_->taken = ticks.taken;
        pending_->matched = ticks.matched;
        hand_over();
    }

    /// End of the market data.
    void close() { ring_.close(); }

    std::uint64_t events() const { return count_; }
    const Event& event(std::uint64_t at) const { return events_[at & mask_]; }
    const EventHash& hash() const { return hash_; }
    /// Number of market data records so far.
    std::uint64_t updates() const { return updates_; }

  private:
    /// Process the latest event, now complete: hash it; a trade at another price than the previous trade means that the
    /// previous level is gone.
    LOWLAT_INLINE void read_last() {
        if (read_ == count_) return;
        const Event& event = events_[(count_ - 1) & mask_];
        hash_.add(&event);
        read_ = count_;
        if (event.kind != ExecType::trade) return;
        if (traded_ && *traded_ != event.price) [[unlikely]]
            emit_level(event.symbol, opposite(side_of(event)), *traded_);
        traded_ = event.price;
    }

    /// The price at which the command's order rests, if it does.
    LOWLAT_INLINE std::optional<std::int64_t> price_of_order(const Command& command) const {
        if (command.symbol >= matcher_.symbols()) return std::nullopt;
        const Handle handle = matcher_.find(command.order_id, command.symbol);
        if (handle == nil || (matcher_.order(handle).attributes & attribute_waits) != 0) return std::nullopt;
        const OrderBody& order = matcher_.order(handle);
        return matcher_.books()[command.symbol].price_of(order.side, matcher_.level(order.level).key);
    }

    /// The price at which the command's own order rests or rested.
    static LOWLAT_INLINE std::optional<std::int64_t> price_changed(const Command& command, const Event& last) {
        switch (last.kind) {
            case ExecType::accepted:
            case ExecType::replaced:
            case ExecType::reduced:
                return last.price;
            case ExecType::cancelled:
                return last.reason == Reason::requested ? std::optional(last.price) : std::nullopt;
            case ExecType::trade:
                return last.remaining != 0 ? std::optional(command.price) : std::nullopt;
            case ExecType::rejected:
            case ExecType::triggered:
            case ExecType::refilled:
                break;
        }
        return std::nullopt;
    }

    LOWLAT_INLINE void emit_level(std::uint32_t symbol, Side side, std::int64_t price) {
        if (unlikely(pending_ != nullptr)) {
            pending_->ends_command = false;
            hand_over();
        }
        const LevelRow row = matcher_.level_at(symbol, side, price);
        pending_ = &slot();
        pending_->price = row.price;
        pending_->quantity = row.quantity;
        pending_->order_count = static_cast<std::uint32_t>(row.order_count);
        pending_->symbol = symbol;
        pending_->side = side;
        pending_->has_level = true;
    }

    /// The slot of the next record; waits for room.
    LOWLAT_INLINE MarketData& slot() {
        std::span<MarketData> room = ring_.reserve(1);
        while (unlikely(room.empty())) {
            if (ring_.closed()) return nowhere_;  // the publisher has ended, and reports it itself
            backoff_.pause();
            room = ring_.reserve(1);
        }
        backoff_.progress();
        return room.front();
    }

    LOWLAT_INLINE void hand_over() {
        if (likely(pending_ != &nowhere_)) ring_.commit(1);
        pending_ = nullptr;
        ++updates_;
    }

    const Matcher& matcher_;
    MarketDataRing ring_;
    Backoff backoff_;
    Event* events_;
    std::uint64_t mask_;
    std::uint64_t count_ = 0;  // events given out
    std::uint64_t read_ = 0;   // number of these processed
    std::uint64_t updates_ = 0;
    std::optional<std::int64_t> traded_;  // price of the last trade of this command
    std::optional<std::int64_t> left_;    // price that a replaced order had
    MarketData* pending_ = nullptr;       // already in its slot, not yet published
    MarketData nowhere_{};
    EventHash hash_;
};

}  // namespace lowlat
