// How an incoming order meets resting ones that have terms: by time or pro-rata, icebergs, all-or-none, own orders.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/full_path_stops.hpp"

namespace lowlat {

template <typename Sink>
class TermsMatching : public TermsStops<Sink> {
  protected:
    using Base = TermsStops<Sink>;
    using Base::Base;
    using Base::book_;
    using Base::emit;
    using Base::level;
    using Base::nodes;
    using Base::order;
    using Base::price_of;
    using Base::store_;
    using Base::terms;

    /// Whether the limit reaches the other side. True also of a market order where that is empty.
    bool reaches(const Taker& taker) const { return book_.ladders[taker.side ^ 1].best_key() <= taker.limit_key; }

    /// Trade against the other side as far as the limit reaches.
    void match(Taker& taker) {
        const Ladder& ladder = book_.ladders[taker.side ^ 1];
        Ladder::Place at{ladder.best_key(), ladder.best()};
        while (taker.left != 0 && at.level != nil && at.key <= taker.limit_key) {
            if (pro_rata()) {
                share_level(taker, at.key);
            } else {
                meet_level(taker, at.level);
            }
            if (taker.left != 0) at = ladder.after(at.key);
        }
    }

    /// What match() would do, without doing it.
    struct Judgement {
        bool whole;             // everything would trade
        std::uint64_t records;  // of the tape, at most
    };

    Judgement judge(const Taker& taker) const {
        Judgement judged{true, 0};
        std::uint64_t left = taker.left;
        book_.ladders[taker.side ^ 1].for_each([&](std::int64_t key, Handle at) {
            if (key > taker.limit_key) return false;
            const bool stops =
                pro_rata() ? judge_shares(taker, at, left, judged) : judge_level(taker, at, left, judged);
            return left != 0 && !stops;
        });
        judged.whole = judged.whole && left == 0;
        return judged;
    }

    bool tape_refuses() const { return store_.when_trades_dry_ == PoolPolicy::refuse; }
    bool tape_takes(std::uint64_t records) const { return !tape_refuses() || records <= store_.tape_.room(); }

    bool own(const Taker& taker, Handle maker) const {
        return taker.participant_id != 0 && this->participant_id(maker) == taker.participant_id;
    }

    /// An order comes in, or comes in again, and shows at most a slice.
    void show_slice(Handle handle, std::uint32_t quantity) {
        order(handle).quantity = quantity;
        if ((order(handle).terms & term_iceberg) == 0) return;
        OrderTerms& iceberg = terms(handle);
        order(handle).quantity = std::min(quantity, iceberg.display_quantity);
        iceberg.reserve_quantity = quantity - order(handle).quantity;
    }

    /// The next slice, at the back of the queue.
    void refill(Handle handle) {
        OrderBody& iceberg = order(handle);
        OrderTerms& behind = terms(handle);
        iceberg.quantity = std::min(behind.reserve_quantity, behind.display_quantity);
        behind.reserve_quantity -= iceberg.quantity;
        lowlat::unlink(nodes(), handle);
        link_last(nodes(), iceberg.level, handle);
        level(iceberg.level).quantity += iceberg.quantity;
        emit(ExecType::refilled, iceberg.id, iceberg.side, this->limit_of(handle), iceberg.quantity,
             this->total(handle));
    }

  private:
    bool pro_rata() const { return book_.rules.algorithm == MatchAlgorithm::pro_rata; }

    /// Oldest first.
    void meet_level(Taker& taker, Handle level_handle) {
        Handle at = nodes()[level_handle].next;
        while (at != level_handle && taker.left != 0) {
            Handle next = nodes()[at].next;
            if (passed_over(at, taker.left)) {
                at = next;
                continue;
            }
            const bool is_own = own(taker, at);
            if (is_own && taker.self_trade == SelfTradePrevention::cancel_resting) {
                this->cancel_order(at, Reason::self_trade);
            } else if (is_own && taker.self_trade != SelfTradePrevention::decrement) {
                if (taker.self_trade == SelfTradePrevention::cancel_both) this->cancel_order(at, Reason::self_trade);
                return stop(taker);
            } else if (take(taker, at, std::min(taker.left, order(at).quantity), is_own) && next == level_handle) {
                next = at;  // refilled, it queues behind itself
            }
            at = next;
        }
    }

    bool passed_over(Handle maker, std::uint64_t left) const {
        return Store::all_or_none(order(maker)) && left < order(maker).quantity;
    }

    /// What remains of an incoming order is cancelled.
    void stop(Taker& taker) {
        emit(ExecType::cancelled, taker.id, taker.side, taker.price, taker.left, 0, Reason::self_trade);
        taker.left = 0;
        taker.stopped = true;
    }

    /// Trade, or decrement, a quantity of what a maker shows. Whether the maker was refilled for it.
    bool take(Taker& taker, Handle maker, std::uint32_t quantity, bool decrement) {
        OrderBody& resting = order(maker);
        const std::int64_t price = this->limit_of(maker);
        taker.left -= quantity;
        resting.quantity -= quantity;
        level(resting.level).quantity -= quantity;
        const std::uint32_t total = this->total(maker);
        if (decrement) {
            emit(ExecType::reduced, resting.id, resting.side, price, quantity, total, Reason::self_trade);
            emit(ExecType::reduced, taker.id, taker.side, taker.price, quantity, taker.left, Reason::self_trade);
        } else {
            this->print(taker.id, taker.left, resting.id, total, taker.side, price, quantity);
            this->after_trade(price);
        }
        if (resting.quantity != 0) return false;
        if (total == 0) {
            this->remove(maker);
            return false;
        }
        refill(maker);
        return true;
    }

    // -- pro-rata -------------------------------------------------------------------------------------------------

    /// Until the level or the incoming order has nothing left.
    void share_level(Taker& taker, std::int64_t key) {
        const Ladder& ladder = book_.ladders[taker.side ^ 1];
        const bool keeps_own = taker.self_trade == SelfTradePrevention::cancel_aggressing ||
                               taker.self_trade == SelfTradePrevention::cancel_both;
        for (Handle at = ladder.look(key); at != nil && taker.left != 0; at = ladder.look(key)) {
            if (taker.self_trade == SelfTradePrevention::cancel_resting) {
                cancel_own(taker, at);
                if (ladder.look(key) == nil) return;
            }
            const Owned owned = keeps_own ? owned_at(taker, at) : Owned{};
            share_once(taker, at, level(at).quantity - owned.quantity, keeps_own);
            if (owned.orders == 0) continue;
            if (taker.left == 0) return;
            if (taker.self_trade == SelfTradePrevention::cancel_both) cancel_own(taker, at);
            return stop(taker);
        }
    }

    struct Owned {
        std::uint64_t quantity = 0;
        std::uint32_t orders = 0;
    };

    Owned owned_at(const Taker& taker, Handle level_handle) const {
        Owned owned;
        for (Handle at = nodes()[level_handle].next; at != level_handle; at = nodes()[at].next) {
            if (!own(taker, at)) continue;
            owned.quantity += order(at).quantity;
            ++owned.orders;
        }
        return owned;
    }

    void cancel_own(const Taker& taker, Handle level_handle) {
        for (std::uint32_t left = level(level_handle).order_count, at = nodes()[level_handle].next; left > 0; --left) {
            const Handle next = nodes()[at].next;
            if (own(taker, at)) this->cancel_order(at, Reason::self_trade);
            at = next;
        }
    }

    /// Every slice gets its part of what comes in; `shared` is the sum of the slices that take part.
    void share_once(Taker& taker, Handle level_handle, std::uint64_t shared, bool without_own) {
        if (shared == 0) return;
        const std::uint64_t coming = std::min<std::uint64_t>(taker.left, shared);
        const auto lot = static_cast<std::uint64_t>(book_.rules.lot);
        const std::uint64_t lots = coming / lot;
        const auto part = [&](Handle at) { return lots * order(at).quantity / shared * lot; };
        const auto takes_part = [&](Handle at) { return !without_own || !own(taker, at); };
        std::uint64_t rest = coming;
        for (Handle at = nodes()[level_handle].next; at != level_handle; at = nodes()[at].next)
            if (takes_part(at)) rest -= part(at);
        Handle at = nodes()[level_handle].next;
        for (std::uint32_t left = level(level_handle).order_count; left > 0; --left) {
            const Handle next = nodes()[at].next;
            if (takes_part(at)) {
                std::uint64_t quantity = part(at);
                if (rest != 0 && quantity < order(at).quantity) {
                    quantity += lot;
                    rest -= lot;
                }
                if (quantity != 0) take(taker, at, static_cast<std::uint32_t>(quantity), own(taker, at));
            }
            at = next;
        }
    }

    // -- judged beforehand ------------------------------------------------------------------------------------------

    /// Records that a maker may take: one for its slice, and one for each behind it.
    std::uint64_t records_of(Handle maker) const {
        const std::uint64_t reserve_quantity = store_.reserve_quantity(order(maker));
        return reserve_quantity == 0
                   ? 1
                   : 1 + (reserve_quantity + terms(maker).display_quantity - 1) / terms(maker).display_quantity;
    }

    static void deduct(std::uint64_t& left, std::uint64_t quantity) { left -= std::min(left, quantity); }

    /// One level by time: true where the incoming order would be cancelled.
    bool judge_level(const Taker& taker, Handle level_handle, std::uint64_t& left, Judgement& judged) const {
        std::uint64_t reserve_quantity = 0;  // refilled behind all that is in the queue now
        for (Handle at = nodes()[level_handle].next; at != level_handle && left != 0; at = nodes()[at].next) {
            if (passed_over(at, left)) continue;
            if (own(taker, at)) {
                if (taker.self_trade == SelfTradePrevention::cancel_resting) continue;
                judged.whole = false;
                if (taker.self_trade != SelfTradePrevention::decrement) return true;
            } else {
                judged.records += records_of(at);
            }
            deduct(left, order(at).quantity);
            reserve_quantity += store_.reserve_quantity(order(at));
        }
        deduct(left, reserve_quantity);
        return false;
    }

    /// The same of a level that is shared.
    bool judge_shares(const Taker& taker, Handle level_handle, std::uint64_t& left, Judgement& judged) const {
        std::uint64_t shown = 0;
        std::uint64_t reserve_quantity = 0;
        bool any_own = false;
        for (Handle at = nodes()[level_handle].next; at != level_handle; at = nodes()[at].next) {
            const bool is_own = own(taker, at);
            any_own |= is_own;
            if (!is_own) judged.records += records_of(at);
            if (is_own && taker.self_trade != SelfTradePrevention::decrement) continue;
            shown += order(at).quantity;
            reserve_quantity += store_.reserve_quantity(order(at));
        }
        deduct(left, shown);
        if (any_own && taker.self_trade != SelfTradePrevention::cancel_resting) {
            judged.whole = false;
            if (taker.self_trade != SelfTradePrevention::decrement) return true;
        }
        deduct(left, reserve_quantity);
        return false;
    }
};

}  // namespace lowlat
