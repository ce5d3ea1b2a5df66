// Random live orders, drawn a few picks before they are used, so that their memory is in cache by then.
#pragma once

#include <array>
#include <cstdint>

#include "engine/native/flow/live_orders.hpp"
#include "engine/native/flow/market.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

class DrawnOrders {
  public:
    /// The next order. If it has gone since it was drawn, another is.
    LiveOrder next(SyntheticMarket& market, Random& random) {
        market.matcher().fetch_neighbors_of(drawn_[(turn_ + 2) % drawn_.size()].ahead);
        market.matcher().fetch_node_of(drawn_[(turn_ + 4) % drawn_.size()].ahead);
        settle(drawn_[(turn_ + 8) % drawn_.size()], market);
        Drawn& due = drawn_[turn_ % drawn_.size()];
        const LiveOrder picked = due.live;
        due.draw = static_cast<std::uint32_t>(random.next() >> 32);
        prefetch(&market.live().draw(due.draw));
        ++turn_;
        return market.live().has(picked.id) ? picked
                                            : market.live().draw(static_cast<std::uint32_t>(random.next() >> 32));
    }

    /// A resting order, because a waiting stop has no price to replace; may be a stop if hardly any order rests.
    LiveOrder next_resting(SyntheticMarket& market, Random& random) {
        LiveOrder picked = next(market, random);
        for (std::uint32_t tries = 8; tries > 0 && market.waits(picked); --tries) picked = next(market, random);
        return picked;
    }

    /// Look all drawn orders up again, after the market has been made anew.
    void settle(SyntheticMarket& market) {
        for (Drawn& drawn : drawn_) settle(drawn, market);
    }

  private:
    struct Drawn {
        std::uint32_t draw = 0;
        LiveOrder live{};
        Matcher::Ahead ahead{};
    };

    static void settle(Drawn& drawn, SyntheticMarket& market) {
        drawn.live = market.live().draw(drawn.draw);
        drawn.ahead = market.matcher().look_ahead(change(CommandType::cancel, drawn.live));
        market.live().fetch_position_of(drawn.live.id);
    }

    std::array<Drawn, 16> drawn_{};
    std::uint64_t turn_ = 0;
};

}  // namespace lowlat
