// When the orders of a synthetic flow are canceled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/native/flow/distribution.hpp"
#include "engine/native/flow/live_orders.hpp"
#include "engine/native/flow/profile.hpp"
#include "engine/native/flow/random.hpp"

namespace lowlat {

/// Every order that enters draws its lifetime, in commands. An order whose time has ended waits to be canceled, the one
/// that ended last first: if cancels fall behind, a few orders stay for long, instead of all for a little longer.
/// Orders that go earlier (trades, other cancels) are dropped when they are next looked at.
class Lifetimes {
  public:
    explicit Lifetimes(const FlowProfile& profile) : bands_(profile.lifetimes), room_(2 * profile.live_max() + 64) {
        if (!any()) return;
        future_.reserve(room_);
        ended_.reserve(room_);
    }

    bool any() const { return !bands_.empty(); }

    /// An order enters this many ticks behind the touch (0: improves or joins it).
    void enter(const LiveOrder& order, std::uint64_t behind, const LiveOrders& live, Random& random) {
        const auto in_band = [&](const LifetimeBand& band) { return behind <= band.within_ticks; };
        const auto band = std::find_if(bands_.begin(), bands_.end() - 1, in_band);
        const std::uint32_t commands = band->commands.draw(random);
        if (commands == Distribution::none) return;
        if (future_.size() == room_) drop_gone(live);
        future_.push_back({now_ + commands, order});
        std::push_heap(future_.begin(), future_.end(), std::greater<>{});
    }

    /// One more command is due.
    void advance(const LiveOrders& live) {
        ++now_;
        while (!future_.empty() && future_.front().at <= now_) {
            std::pop_heap(future_.begin(), future_.end(), std::greater<>{});
            const LiveOrder order = future_.back().order;
            future_.pop_back();
            if (live.has(order.id)) end(order, live);
        }
        while (!ended_.empty() && !live.has(ended_.back().id)) ended_.pop_back();
    }

    /// Whether there is an order to cancel; valid from `advance` until a command is executed.
    bool due() const { return !ended_.empty(); }

    LiveOrder take() {
        const LiveOrder order = ended_.back();
        ended_.pop_back();
        return order;
    }

  private:
    struct End {
        std::uint64_t at;  // command number
        LiveOrder order;

        bool operator>(const End& other) const { return at != other.at ? at > other.at : order.id > other.order.id; }
    };

    void end(const LiveOrder& order, const LiveOrders& live) {
        if (ended_.size() == room_) std::erase_if(ended_, [&](const LiveOrder& one) { return !live.has(one.id); });
        ended_.push_back(order);
    }

    /// At most half of the entries are live, so this takes amortized constant time an entry.
    void drop_gone(const LiveOrders& live) {
        std::erase_if(future_, [&](const End& one) { return !live.has(one.order.id); });
        std::make_heap(future_.begin(), future_.end(), std::greater<>{});
    }

    std::vector<LifetimeBand> bands_;
    std::size_t room_;
    std::vector<End> future_;       // a heap, the next end first
    std::vector<LiveOrder> ended_;  // to be canceled, last first
    std::uint64_t now_ = 0;
};

}  // namespace lowlat
