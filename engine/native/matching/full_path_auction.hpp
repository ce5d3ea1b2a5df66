// What an uncross trades: everything at one price, by price and time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/native/matching/auction_price.hpp"
#include "engine/native/matching/full_path_matching.hpp"

namespace lowlat {

template <typename Sink>
class TermsAuction : public TermsMatching<Sink> {
  protected:
    using Base = TermsMatching<Sink>;
    using Base::Base;
    using Base::book_;
    using Base::level;
    using Base::nodes;
    using Base::order;
    using Base::store_;
    using Base::terms;

    std::optional<Uncross> find_uncross() { return lowlat::find_uncross(store_, this->symbol_, store_.crossed_); }

    /// Records of the tape that it takes.
    std::uint64_t trades_of(const Uncross& at) const {
        std::uint64_t trades = 0;
        pair_up(at.volume, [&](Handle, Handle, std::uint32_t) { ++trades; });
        return trades;
    }

    void uncross(const Uncross& at) {
        Handle partly[2] = {nil, nil};
        pair_up(at.volume, [&](Handle bid, Handle ask, std::uint32_t quantity) {
            const std::uint64_t bid_id = order(bid).id;
            const std::uint64_t ask_id = order(ask).id;
            const std::uint32_t bid_left = this->total(bid) - quantity;
            const std::uint32_t ask_left = this->total(ask) - quantity;
            this->print(bid_id, bid_left, ask_id, ask_left, 0, at.price, quantity);
            partly[0] = take_off(bid, quantity) ? bid : nil;
            partly[1] = take_off(ask, quantity) ? ask : nil;
        });
        for (const Handle handle : partly)
            if (handle != nil && order(handle).quantity == 0) this->refill(handle);
        this->after_trade(at.price);
    }

  private:
    /// The orders of a side that take part, by price and time.
    class Queue {
      public:
        Queue(const Store& store, const Ladder& ladder, const Nodes& nodes)
            : store_(store), ladder_(ladder), nodes_(nodes), place_{ladder.best_key(), ladder.best()} {
            if (place_.level != nil) at_ = nodes_[place_.level].next;
            settle();
        }

        Handle order() const { return at_; }
        std::uint32_t left = 0;

        void advance() {
            at_ = nodes_[at_].next;
            settle();
        }

      private:
        void settle() {
            while (place_.level != nil) {
                for (; at_ != place_.level; at_ = nodes_[at_].next) {
                    const OrderBody& order = nodes_[at_].order;
                    if (Store::all_or_none(order)) continue;
                    left = order.quantity + store_.reserve_quantity(order);
                    return;
                }
                place_ = ladder_.after(place_.key);
                if (place_.level != nil) at_ = nodes_[place_.level].next;
            }
        }

        const Store& store_;
        const Ladder& ladder_;
        const Nodes& nodes_;
        Ladder::Place place_;
        Handle at_ = nil;
    };

    /// Call `visit(bid, ask, quantity)` for each trade. An order that is done is left behind before the visit, which
    /// may so remove it.
    template <typename Visit>
    void pair_up(std::uint64_t volume, Visit visit) const {
        Queue bids(store_, book_.ladders[0], nodes());
        Queue asks(store_, book_.ladders[1], nodes());
        while (volume != 0) {
            const auto quantity =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(std::min(bids.left, asks.left), volume));
            const Handle bid = bids.order();
            const Handle ask = asks.order();
            volume -= quantity;
            bids.left -= quantity;
            asks.left -= quantity;
            if (bids.left == 0 && volume != 0) bids.advance();
            if (asks.left == 0 && volume != 0) asks.advance();
            visit(bid, ask, quantity);
        }
    }

    /// First what is shown, then what is hidden. False when nothing is left, and the order is gone.
    bool take_off(Handle handle, std::uint32_t quantity) {
        if (this->total(handle) == quantity) {
            this->remove(handle);
            return false;
        }
        OrderBody& body = order(handle);
        const std::uint32_t shown = std::min(body.quantity, quantity);
        body.quantity -= shown;
        level(body.level).quantity -= shown;
        if (shown != quantity) terms(handle).reserve_quantity -= quantity - shown;
        return true;
    }
};

}  // namespace lowlat
