// The matcher's stage beside a matcher that gets one command at a time: the same events and the same market data,
// wherever the commands lie in their ring and whenever they come.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/native/bench/matching_stage.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/flow/synthetic.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "tests/native/checks.hpp"

namespace matching_stage_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint64_t count = 5'000;
constexpr std::uint64_t events_kept = 1'024;
const FlowProfile trading{.weights = {50, 24, 10, 4, 4, 4, 4, 0, 0},
                          .live_orders = 200,
                          .distance_ticks = 8,
                          .quantity_max = 100,
                          .take_quantity_max = 100,
                          .take_ticks = 2};

std::vector<Command> flow() {
    SyntheticFlow synthetic(trading, 1);
    std::vector<Command> commands(trading.live_orders + count);
    synthetic.seed(commands.data());
    synthetic.generate(commands.data() + trading.live_orders, count);
    return commands;
}

/// Memory of a ring, formatted.
template <typename Ring>
class RingMemory {
  public:
    explicit RingMemory(std::uint64_t capacity)
        : region_(LockedRegion::room_for<std::byte>(Ring::bytes_for(capacity))),
          block_(region_.template take<std::byte>(Ring::bytes_for(capacity))) {
        Ring::format(block_, capacity);
    }
    Ring ring() const { return Ring(block_); }

  private:
    LockedRegion region_;
    std::byte* block_;
};

/// A matcher, and the sink that hashes its events.
class Fed {
  public:
    Fed() : feed_(matcher_, market_data_.ring(), WaitStrategy::fail, events_.data(), events_kept - 1) {}
    Fed(const Fed&) = delete;
    Fed& operator=(const Fed&) = delete;

    Matcher& matcher() { return matcher_; }
    MarketDataFeed& feed() { return feed_; }
    std::uint64_t hash() const { return feed_.hash().value(); }

    /// All market data since the last call, without what a clock wrote.
    std::vector<MarketData> market_data() {
        std::vector<MarketData> all(market_data_.ring().size());
        market_data_.ring().try_pop(all.data(), all.size());
        return all;
    }

  private:
    Matcher matcher_{{.symbols = {SymbolRules{1, 1, 0, 1'000'000}},
                      .orders = 300,
                      .trades = 10'000,
                      .when_orders_dry = PoolPolicy::grow}};
    RingMemory<MarketDataRing> market_data_{market_data_ring_capacity};
    std::vector<Event> events_ = std::vector<Event>(events_kept);
    MarketDataFeed feed_;
};

/// What the same commands give one at a time.
void execute_alone(Fed& fed, const std::vector<Command>& commands) {
    for (std::uint64_t number = 0; number < commands.size(); ++number) {
        const SentCommand order{commands[number], number, number, number, 0};
        fed.feed().begin(order);
        fed.matcher().execute(commands[number], fed.feed());
        fed.feed().end(order, {.taken = 0, .matched = 0});
    }
}

/// Runs the stage over a ring in which commands come to wait before each call, and while others execute.
void execute_as_they_come(Fed& fed, const std::vector<Command>& commands, std::uint32_t capacity, Random& random) {
    const RingMemory<OrderRing> memory(capacity);
    OrderRing orders = memory.ring();
    std::uint64_t sent = 0, matched = 0;
    const auto send = [&](std::uint64_t most) {
        for (; most != 0 && sent < commands.size(); --most) {
            if (!orders.try_push({commands[sent], sent, sent, sent, 0})) return;
            ++sent;
        }
    };
    MatchingStage stage(fed.matcher(), orders, fed.feed());
    while (matched < commands.size()) {
        send(random.below(2) == 0 ? random.below(4) : random.below(2 * capacity));
        const std::uint64_t before = matched;
        const std::uint64_t executed = stage.execute_waiting([&](const SentCommand& order) {
            check(order.number == matched++, "commands execute in the order of the ring, once each");
            if (random.below(4) == 0) send(random.below(8));
        });
        check(executed == matched - before, "the stage says how many");
    }
    check(orders.size() == 0 && stage.execute_waiting([](const SentCommand&) {}) == 0, "every slot is released");
}

/// Whether both told the same; in `stamped` each command has timestamps of its own.
void compare(const std::vector<MarketData>& alone, const std::vector<MarketData>& stamped) {
    check(alone.size() == stamped.size(), "as many records");
    std::uint64_t ended = 0, last = 0;
    for (std::size_t at = 0; at < alone.size(); ++at) {
        const MarketData &one = alone[at], &other = stamped[at];
        check(one.has_level == other.has_level && one.ends_command == other.ends_command, "of the same kind");
        if (one.has_level) {
            check(one.price == other.price && one.quantity == other.quantity && one.order_count == other.order_count &&
                      one.side == other.side,
                  "with the same level");
        }
        if (!one.ends_command) continue;
        check(one.operation == other.operation && other.due == ended && other.sent == ended, "of the same command");
        check(last <= other.taken && other.taken <= other.matched, "taken once the one before it was matched");
        last = other.matched;
        ++ended;
    }
    check(ended == trading.live_orders + count, "each command ends once");
}

const Register same("matching stage: the same events and market data, wherever commands lie and whenever they come",
                    [] {
                        const std::vector<Command> commands = flow();
                        Fed alone;
                        execute_alone(alone, commands);
                        const std::vector<MarketData> expected = alone.market_data();
                        Random random(1);
                        for (const std::uint32_t capacity : {1, 2, 16, 32, 128, 1'024}) {
                            Fed fed;
                            execute_as_they_come(fed, commands, capacity, random);
                            check(fed.hash() == alone.hash(), "the events are the same, byte for byte");
                            compare(expected, fed.market_data());
                            check_invariants(fed.matcher());
                        }
                    });

const Register order_matters("broken stages: two commands in the wrong order are noticed", [] {
    std::vector<Command> commands = flow();
    Fed right, wrong;
    execute_alone(right, commands);
    std::swap(commands[1'000], commands[1'001]);
    execute_alone(wrong, commands);
    check(right.hash() != wrong.hash(), "the hash depends on the order");
});

}  // namespace

}  // namespace matching_stage_tests
