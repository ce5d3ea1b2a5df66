// The whole path of an order: producers, the ring of orders, the matcher, the ring of market data, the publisher.
//
//     produce() x N  --SentCommand-->  match()  --MarketData-->  publish()  -->  mapped books
//
// Each of the three calls is the whole life of one thread; the caller pins the threads. They start together once all
// have arrived, and each ends after the one upstream.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/bench/matching_stage.hpp"
#include "engine/native/bench/publisher.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/rings/wait_strategy.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

class Pipeline {
  public:
    /// `planned`: due time of each command in ticks after the start; empty: as soon as there is room.
    Pipeline(Matcher& matcher, std::span<const Command> commands, std::span<const std::uint64_t> planned,
             std::uint32_t producers, const std::vector<BookWriter*>& writers, const TickScale& ns,
             Latencies& latencies)
        : matcher_(matcher),
          commands_(commands),
          planned_(planned),
          producers_(producers),
          producing_(producers),
          order_memory_(LockedRegion::room_for<std::byte>(OrderRing::bytes_for(order_ring_capacity))),
          market_data_memory_(LockedRegion::room_for<std::byte>(MarketDataRing::bytes_for(market_data_ring_capacity))),
          orders_(order_memory_.take<std::byte>(OrderRing::bytes_for(order_ring_capacity))),
          market_data_(market_data_memory_.take<std::byte>(MarketDataRing::bytes_for(market_data_ring_capacity))),
          order_of_matching_(commands.size()),
          events_(ring_events),
          publisher_(matcher, writers, !planned.empty(), ns, latencies) {
        OrderRing::format(orders_, order_ring_capacity);
        MarketDataRing::format(market_data_, market_data_ring_capacity);
    }

    /// A producer's thread: sends the commands with these numbers, in order.
    void produce(std::span<const std::uint32_t> numbers, WaitStrategy wait) {
        OrderRing ring(orders_);
        const std::uint64_t begin = arrive();
        std::uint64_t sent = 0;
        for (const std::uint32_t number : numbers) {
            SentCommand order{commands_[number], 0, 0, number, 0};
            if (planned_.empty()) {
                order.due = order.sent = ticks_begin();
            } else {
                order.due = begin + planned_[number];
                order.sent = wait_until(order.due, wait);
            }
            if (push_waiting(ring, &order, 1, wait) != 1) break;
            ++sent;
        }
        // Relaxed: a count, read after the threads have been joined.
        sent_.fetch_add(sent, std::memory_order_relaxed);
        // Acquire and release: the last producer closes the ring after the pushes of all others.
        if (producing_.fetch_sub(1, std::memory_order_acq_rel) == 1) ring.close();
    }

    /// The matcher's thread, which also starts the others.
    void match(WaitStrategy wait) {
        const OrderRing ring(orders_);
        MarketDataFeed feed(matcher_, MarketDataRing(market_data_), wait, events_.data(), ring_events - 1);
        start();
        MatchingStage stage(matcher_, ring, feed);
        Backoff backoff(wait);
        const auto note = [&](const SentCommand& order) {
            order_of_matching_[matchings_++] = static_cast<std::uint32_t>(order.number);
        };
        for (;;) {
            if (stage.execute_waiting(note) != 0) {
                backoff.progress();
            } else if (ring.finished()) {
                break;
            } else {
                backoff.pause();
            }
        }
        feed.close();
        fed_ = {feed.events(), feed.updates(), feed.hash().value()};
    }

    /// The publisher's thread.
    void publish(WaitStrategy wait) {
        arrive();
        publisher_.run(MarketDataRing(market_data_), wait);
    }

    /// A thread has failed: all others end at their next check, with partial results.
    void abandon() {
        // Release: pairs with the acquire loads of who waits for the start.
        abandoned_.store(true, std::memory_order_release);
        OrderRing(orders_).close();
        MarketDataRing(market_data_).close();
    }

    /// The matcher's results.
    struct Fed {
        std::uint64_t events;
        std::uint64_t updates;
        std::uint64_t hash;
    };

    // After all threads have ended.
    const Fed& fed() const { return fed_; }
    /// The last events, oldest first.
    std::vector<Event> tail() const { return last_events(events_.data(), ring_events, fed_.events); }
    const Publisher& publisher() const { return publisher_; }
    std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
    /// Ticks from the start until the last command was visible to readers.
    std::uint64_t ticks() const { return publisher_.end_ticks() - begin_.load(std::memory_order_relaxed); }
    /// Numbers of the commands in the order in which they were matched.
    std::span<const std::uint32_t> order_of_matching() const { return {order_of_matching_.data(), matchings_}; }
    /// Call `visit(part, region)` for the memory of the rings.
    template <typename Visit>
    void for_each_region(Visit visit) const {
        visit("order ring", order_memory_);
        visit("market data ring", market_data_memory_);
    }

  private:
    /// For threads other than the matcher's: wait for the start, and return its ticks.
    std::uint64_t arrive() {
        // Release: what this thread has prepared is there when the matcher's sees the count.
        arrived_.fetch_add(1, std::memory_order_release);
        Backoff backoff(WaitStrategy::yield);
        for (;;) {
            // Acquire: pairs with the release in start().
            const std::uint64_t begin = begin_.load(std::memory_order_acquire);
            if (begin != 0 || abandoned_.load(std::memory_order_acquire)) return begin;
            backoff.pause();
        }
    }

    void start() {
        Backoff backoff(WaitStrategy::yield);
        // Acquire: pairs with the release in arrive().
        while (arrived_.load(std::memory_order_acquire) != producers_ + 1) {
            if (abandoned_.load(std::memory_order_acquire)) break;
            backoff.pause();
        }
        begin_.store(ticks_begin(), std::memory_order_release);
    }

    static LOWLAT_INLINE std::uint64_t wait_until(std::uint64_t due, WaitStrategy wait) {
        Backoff backoff(wait);
        std::uint64_t now = ticks_begin();
        while (now < due) {
            if (wait == WaitStrategy::yield) backoff.pause();
            now = ticks_begin();
        }
        return now;
    }

    Matcher& matcher_;
    std::span<const Command> commands_;
    std::span<const std::uint64_t> planned_;
    std::uint32_t producers_;
    std::atomic<std::uint32_t> arrived_ = 0;
    std::atomic<std::uint32_t> producing_;
    std::atomic<std::uint64_t> begin_ = 0;
    std::atomic<std::uint64_t> sent_ = 0;
    std::atomic<bool> abandoned_ = false;
    LockedRegion order_memory_;
    LockedRegion market_data_memory_;
    std::byte* orders_;
    std::byte* market_data_;
    std::vector<std::uint32_t> order_of_matching_;
    std::uint64_t matchings_ = 0;
    std::vector<Event> events_;
    Fed fed_{};
    Publisher publisher_;
};

}  // namespace lowlat
