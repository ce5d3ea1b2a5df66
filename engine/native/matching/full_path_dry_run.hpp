// Dry run of an order on the full path: what it would trade with, without changing the book.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/native/matching/full_path_base.hpp"

namespace lowlat {

/// An order that trades against the other side: incoming or entered again.
struct Taker {
    std::uint64_t id;
    std::int64_t price;      // its limit as in events: 0 for a market order
    std::int64_t limit_key;  // it trades with keys of the other side up to this one
    std::uint32_t left;
    std::uint32_t participant_id;  // also 0 if prevention is off
    Side side;
    SelfTradePrevention self_trade;
    bool stopped = false;  // canceled by self-trade prevention
};

/// Answers from the book's index if it has one that can, else walks over the orders, and counts the steps.
class FullDryRun {
  public:
    explicit FullDryRun(const BookOrders& orders) : orders_(orders) {}

    bool pro_rata() const { return orders_.book.rules.algorithm == MatchAlgorithm::pro_rata; }

    bool own(const Taker& taker, Handle maker) const {
        return taker.participant_id != 0 && orders_.participant_id(maker) == taker.participant_id;
    }

    bool passed_over(Handle maker, std::uint64_t left) const {
        return OrderStore::all_or_none(orders_[maker]) && left < orders_[maker].quantity;
    }

    /// Whether the order would fill completely.
    bool fills(const Taker& taker) const {
        if (unlikely(orders_.book.index != nullptr))
            if (const std::optional<bool> fills = fills_by_index(taker)) return *fills;
        return walk(taker, any_number).whole;
    }

    /// Whether the order would meet another to which self-trade prevention does not apply.
    bool meets(const Taker& taker) const {
        if (unlikely(orders_.book.index != nullptr))
            if (const std::optional<bool> meets = meets_by_index(taker)) return *meets;
        return walk(taker, 0).records != 0;
    }

    /// Whether the tape takes all trades of the order.
    bool tape_takes(const Taker& taker) const {
        return !orders_.store.tape_rejects() ||
               orders_.store.tape_takes(walk(taker, orders_.store.tape().room()).records);
    }

  private:
    static constexpr std::uint64_t any_number = ~std::uint64_t{0};

    struct Found {
        bool whole = true;          // the order would fill completely
        bool ended = false;         // it would be canceled here
        std::uint64_t left = 0;     // its remaining quantity
        std::uint64_t records = 0;  // upper bound of tape records
        std::uint64_t steps = 0;
    };

    /// Walk until the outcome is known, or the order needs more than `enough` tape records.
    Found walk(const Taker& taker, std::uint64_t enough) const {
        Found found{.left = taker.left};
        orders_.book.ladders[opposite(taker.side)].for_each([&](std::int64_t key, Handle at) {
            if (key > taker.limit_key) return false;
            ++found.steps;
            if (pro_rata()) {
                look_at_shares(taker, at, enough, found);
            } else {
                look_at_queue(taker, at, enough, found);
            }
            return found.left != 0 && !found.ended && found.records <= enough;
        });
        found.whole = found.whole && found.left == 0;
        orders_.book.walks.count(found.steps);
        return found;
    }

    /// Upper bound of a maker's trade records: one for its slice, and one for each hidden slice.
    std::uint64_t records_of(Handle maker) const {
        const std::uint64_t reserve_quantity = orders_.store.reserve_quantity(orders_[maker]);
        return reserve_quantity == 0 ? 1
                                     : 1 + (reserve_quantity + orders_.attributes(maker).display_quantity - 1) /
                                               orders_.attributes(maker).display_quantity;
    }

    static void deduct(std::uint64_t& left, std::uint64_t quantity) { left -= std::min(left, quantity); }

    /// One level by time priority.
    void look_at_queue(const Taker& taker, Handle level, std::uint64_t enough, Found& found) const {
        std::uint64_t reserve_quantity = 0;  // refilled behind everything queued now
        for (Handle at = orders_.next(level); at != level && found.left != 0; at = orders_.next(at)) {
            ++found.steps;
            if (passed_over(at, found.left)) continue;
            if (own(taker, at)) {
                if (taker.self_trade == SelfTradePrevention::cancel_resting) continue;
                found.whole = false;
                found.ended = taker.self_trade != SelfTradePrevention::decrement;
                if (found.ended) return;
            } else {
                found.records += records_of(at);
                if (found.records > enough) return;
            }
            deduct(found.left, orders_[at].quantity);
            reserve_quantity += orders_.store.reserve_quantity(orders_[at]);
        }
        deduct(found.left, reserve_quantity);
    }

    /// The same for a pro-rata level.
    void look_at_shares(const Taker& taker, Handle level, std::uint64_t enough, Found& found) const {
        std::uint64_t shown = 0;
        std::uint64_t reserve_quantity = 0;
        bool any_own = false;
        for (Handle at = orders_.next(level); at != level; at = orders_.next(at)) {
            ++found.steps;
            const bool is_own = own(taker, at);
            any_own |= is_own;
            if (!is_own) found.records += records_of(at);
            if (found.records > enough) return;
            if (is_own && taker.self_trade != SelfTradePrevention::decrement) continue;
            shown += orders_[at].quantity;
            reserve_quantity += orders_.store.reserve_quantity(orders_[at]);
        }
        deduct(found.left, shown);
        if (any_own && taker.self_trade != SelfTradePrevention::cancel_resting) {
            found.whole = false;
            found.ended = taker.self_trade != SelfTradePrevention::decrement;
            if (found.ended) return;
        }
        deduct(found.left, reserve_quantity);
    }

    // -- by the index; no answer: only a walk can tell --------------------------------------------------------------

    Reach reach_of(const Taker& taker) const {
        return {.side = opposite(taker.side), .limit_key = taker.limit_key, .left = taker.left};
    }

    /// The first order of the taker's participant within reach, or nil.
    Handle first_own(const Taker& taker) const {
        if (taker.participant_id == 0) return nil;
        const DepthIndex& index = *orders_.book.index;
        const Handle first = index.first_own(taker.participant_id, opposite(taker.side));
        return first != nil && index.priority(first).key <= taker.limit_key ? first : nil;
    }

    std::optional<bool> fills_by_index(const Taker& taker) const {
        const DepthIndex& index = *orders_.book.index;
        orders_.book.walks.index_used();
        const Reach reach = reach_of(taker);
        const Handle own = first_own(taker);
        if (own == nil) return index.fills(reach);
        const Priority end = Priority::through(taker.limit_key);
        const std::uint64_t alone = index.alone_before(reach.side, end);
        if (taker.self_trade == SelfTradePrevention::cancel_resting) {
            const std::uint64_t plain = index.plain_before(reach.side, end).all();
            const DepthIndex::Own depth = index.own_before(taker.participant_id, reach.side, end);
            if (plain - depth.plain >= taker.left) return true;
            if (plain + alone - depth.all < taker.left || alone == 0) return false;
            return std::nullopt;
        }
        if (alone != 0) return std::nullopt;
        const Priority met = index.priority(own);
        const std::uint64_t above = index.plain_before(reach.side, {met.key, 0}).all();
        if (above >= taker.left) return true;
        if (pro_rata()) return false;
        const std::uint64_t ahead =
            index.plain_before(reach.side, met).shown - index.plain_before(reach.side, {met.key, 0}).shown;
        return above + ahead >= taker.left;
    }

    std::optional<bool> meets_by_index(const Taker& taker) const {
        const DepthIndex& index = *orders_.book.index;
        orders_.book.walks.index_used();
        const Handle first = index.first_maker(reach_of(taker));
        if (first == nil) return false;
        if (!own(taker, first)) return true;
        if (taker.self_trade != SelfTradePrevention::cancel_resting) {
            if (taker.self_trade == SelfTradePrevention::decrement || pro_rata()) return std::nullopt;
            return false;
        }
        const Priority end = Priority::through(taker.limit_key);
        const Side side = opposite(taker.side);
        if (index.plain_before(side, end).all() > index.own_before(taker.participant_id, side, end).plain) return true;
        if (index.alone_before(side, end) == 0) return false;
        return std::nullopt;
    }

    const BookOrders& orders_;
};

}  // namespace lowlat
