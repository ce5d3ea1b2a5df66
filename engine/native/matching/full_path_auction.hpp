// Trades of an uncross: all at one price, by price-time priority.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/native/matching/auction_price.hpp"
#include "engine/native/matching/full_path_matching.hpp"

namespace lowlat {

/// The uncross of one book.
template <typename Sink>
class Auction {
  public:
    explicit Auction(Matching<Sink>& matching) : matching_(matching) {}

    std::optional<Uncross> find_uncross() {
        return lowlat::find_uncross(orders().store, orders().symbol, orders().store.crossed_levels());
    }

    /// Number of trade tape records that it needs.
    std::uint64_t trades_of(const Uncross& at) const {
        std::uint64_t trades = 0;
        pair_up(at.volume, [&](Handle, Handle, std::uint32_t) { ++trades; });
        return trades;
    }

    void uncross(const Uncross& at) {
        PerSide<Handle> partly{nil, nil};
        pair_up(at.volume, [&](Handle bid, Handle ask, std::uint32_t quantity) {
            matching_.context().execute_trade({.taker_id = orders()[bid].id,
                                               .taker_left = orders().total(bid) - quantity,
                                               .maker_id = orders()[ask].id,
                                               .maker_left = orders().total(ask) - quantity,
                                               .side = Side::buy,
                                               .price = at.price,
                                               .quantity = quantity});
            partly[Side::buy] = take_off(bid, quantity) ? bid : nil;
            partly[Side::sell] = take_off(ask, quantity) ? ask : nil;
        });
        for (const Handle handle : partly)
            if (handle != nil && orders()[handle].quantity == 0) matching_.refill(handle);
        matching_.context().stops.after_trade(at.price);
    }

  private:
    BookOrders& orders() const { return matching_.context().orders(); }

    /// The participating orders of a side, by price and time.
    class Queue {
      public:
        Queue(const BookOrders& orders, Side side)
            : orders_(orders),
              ladder_(orders.book.ladders[side]),
              place_{.key = ladder_.best_key(), .level = ladder_.best()} {
            if (place_.level != nil) at_ = orders_.next(place_.level);
            settle();
        }

        Handle order() const { return at_; }
        std::uint32_t left = 0;

        void advance() {
            at_ = orders_.next(at_);
            settle();
        }

      private:
        void settle() {
            while (place_.level != nil) {
                for (; at_ != place_.level; at_ = orders_.next(at_)) {
                    if (OrderStore::all_or_none(orders_[at_])) continue;
                    left = orders_.total(at_);
                    return;
                }
                place_ = ladder_.after(place_.key);
                if (place_.level != nil) at_ = orders_.next(place_.level);
            }
        }

        const BookOrders& orders_;
        const Ladder& ladder_;
        Ladder::Place place_;
        Handle at_ = nil;
    };

    /// Call `visit(bid, ask, quantity)` for each trade. The walk moves past a filled order before the visit, so the
    /// visit may remove it.
    template <typename Visit>
    void pair_up(std::uint64_t volume, Visit visit) const {
        Queue bids(orders(), Side::buy);
        Queue asks(orders(), Side::sell);
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

    /// Reduce the displayed quantity, then the hidden one. False if nothing is left and the order is gone.
    bool take_off(Handle handle, std::uint32_t quantity) {
        if (orders().total(handle) == quantity) {
            orders().remove(handle);
            return false;
        }
        const std::uint32_t shown = std::min(orders()[handle].quantity, quantity);
        orders().reduce_shown(handle, shown);
        if (shown != quantity)
            orders().set_hidden(handle, orders().attributes(handle).reserve_quantity - (quantity - shown));
        return true;
    }

    Matching<Sink>& matching_;
};

}  // namespace lowlat
