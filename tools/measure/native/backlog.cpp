// The matcher's stage of the pipeline over commands that come to wait in bursts, in one thread. Arguments: file of
// commands, how many seed the book, repeats, room for orders, symbols, commands in a burst. Prints nanoseconds of CPU
// time per command of each repeat, which include filling one ring and emptying the other.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/native/bench/matching_stage.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "tools/measure/native/pass.hpp"

using namespace lowlat;

// Not inlined and outside any namespace, so that callgrind can count only inside it.
__attribute__((noinline)) void measured_pass(MatchingStage& stage, std::vector<std::uint64_t>& order) {
    while (stage.execute_waiting([&](const SentCommand& command) { order.push_back(command.number); }) != 0) {
    }
}

namespace {

/// The stage with its rings.
class Rings {
  public:
    Rings(Matcher& matcher, std::vector<Event>& events)
        : memory_(LockedRegion::room_for<std::byte>(OrderRing::bytes_for(order_ring_capacity)) +
                  LockedRegion::room_for<std::byte>(MarketDataRing::bytes_for(market_data_ring_capacity))),
          orders_(formatted<OrderRing>(order_ring_capacity)),
          market_data_(formatted<MarketDataRing>(market_data_ring_capacity)),
          feed_(matcher, market_data_, WaitStrategy::fail, events.data(), events.size() - 1),
          stage_(matcher, orders_, feed_) {}

    /// Nanoseconds per command.
    double run(const std::vector<SentCommand>& commands, std::uint64_t burst, std::vector<std::uint64_t>& order) {
        const double start = cpu_ns();
        for (std::uint64_t at = 0; at < commands.size(); at += burst) {
            orders_.try_push(commands.data() + at, std::min(burst, commands.size() - at));
            measured_pass(stage_, order);
            while (const std::uint64_t there = market_data_.peek(market_data_ring_capacity).size())
                market_data_.release(there);
        }
        return (cpu_ns() - start) / static_cast<double>(commands.size());
    }

  private:
    template <typename Ring>
    Ring formatted(std::uint64_t capacity) {
        auto* const block = memory_.take<std::byte>(Ring::bytes_for(capacity));
        Ring::format(block, capacity);
        return Ring(block);
    }

    LockedRegion memory_;
    OrderRing orders_;
    MarketDataRing market_data_;
    MarketDataFeed feed_;
    MatchingStage stage_;
};

}  // namespace

int main(int count_of_arguments, char** arguments) {
    if (count_of_arguments != 7) {
        std::fputs("usage: backlog FILE SEEDED REPEATS ORDERS SYMBOLS BURST\n", stderr);
        return 2;
    }
    const auto number = [&](int at) { return std::strtoul(arguments[at], nullptr, 10); };
    const std::vector<Command> all = records_in<Command>(arguments[1]);
    const std::uint64_t seeded = number(2);
    std::vector<SentCommand> commands(all.size() - seeded);
    for (std::uint64_t at = 0; at < commands.size(); ++at) commands[at] = {all[seeded + at], 0, 0, at, 0};
    const std::int64_t far = std::int64_t{1} << 40;
    Matcher matcher({.symbols = std::vector<SymbolRules>(number(5), SymbolRules{1, 1, -far, far}),
                     .orders = static_cast<std::uint32_t>(number(4)),
                     .trades = 100'000,
                     .when_orders_dry = PoolPolicy::grow});
    std::vector<Event> events(ring_events);
    std::vector<std::uint64_t> order;
    order.reserve(commands.size());
    for (std::uint64_t repeat = 0; repeat < number(3); ++repeat) {
        matcher.reset();
        RingSink sink(events.data(), ring_events - 1);
        matcher.execute_all(all.data(), seeded, sink);
        order.clear();
        std::printf("%.2f\n", Rings(matcher, events).run(commands, number(6), order));
    }
}
