// The matcher's stage of the pipeline: executes the commands that wait in the ring of orders, each between two
// timestamps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/matching/fetching_store.hpp"
#include "engine/native/matching/look_ahead.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/platform/compiler.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

class MatchingStage {
  public:
    MatchingStage(Matcher& matcher, const OrderRing& orders, MarketDataFeed& feed)
        : matcher_(matcher), orders_(orders), feed_(feed) {}

    /// Execute commands that wait, and release their slots; call `matched(command)` after each. Returns how many.
    ///
    /// Commands behind those are looked at where they lie, so that they are prefetched for across calls. That happens
    /// before a command is taken: the time of it is time in the queue.
    template <typename Matched>
    LOWLAT_INLINE std::uint64_t execute_waiting(Matched matched) {
        const std::span<const SentCommand> there = orders_.peek(batch_max + FetchingStore::fetch_slot);
        if (there.empty()) return 0;
        const std::uint64_t count = std::min(batch_max, there.size());
        const SentCommand* const next = there.data();
        ahead_.each(matcher_, next, next + count, next + there.size(),
                    [&](const SentCommand& order) LOWLAT_INLINE_LAMBDA {
                        const std::uint64_t taken = ticks_begin();
                        feed_.begin(order);
                        matcher_.execute(order, feed_);
                        const std::uint64_t ended = ticks_end();
                        feed_.end(order, {.taken = taken, .matched = ended});
                        matched(order);
                    });
        orders_.release(count);
        return count;
    }

  private:
    /// Slots are released together: producers see them once in so many commands.
    static constexpr std::uint64_t batch_max = 64;

    Matcher& matcher_;
    OrderRing orders_;
    MarketDataFeed& feed_;
    LookAhead<> ahead_;
};

}  // namespace lowlat
