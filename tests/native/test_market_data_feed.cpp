// A publisher knows only the feed: after every command the levels rebuilt from it must equal the matcher's. The same
// check must reject feeds that leave something out.
#include <cstdint>
#include <vector>

#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/flow/random.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/shared_book/level_book.hpp"
#include "tests/native/checks.hpp"

namespace market_data_feed_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint32_t symbols = 3;
constexpr std::uint64_t commands = 200'000;

/// Every kind of command, good and bad, over few prices, so that levels come, change and go, and sweeps are common.
Command any_command(Random& random, std::uint64_t number) {
    const auto kind = static_cast<CommandType>(1 + random.below(5));
    const bool market = kind == CommandType::market;
    const bool known = kind == CommandType::cancel || kind == CommandType::reduce || kind == CommandType::replace;
    const std::uint64_t id =
        known ? number - random.below(static_cast<std::uint32_t>(std::min<std::uint64_t>(number, 60)) + 1) : number;
    return {.order_id = id,
            .price = market ? 0 : static_cast<std::int64_t>(random.below(24)),
            .quantity = random.below(9),
            .symbol = static_cast<std::uint32_t>(id % (symbols + 1)),  // one of four does not exist
            .kind = kind,
            .side = static_cast<std::uint8_t>(random.below(2)),
            .time_in_force = static_cast<std::uint8_t>(market                 ? 1
                                                       : random.below(12) < 9 ? 0
                                                                              : 1 + random.below(2)),
            .flags = static_cast<std::uint8_t>(random.below(8) == 0 && !market ? 1 : 0)};
}

/// Levels kept from the updates, and what else they said.
class Follower {
  public:
    /// Leaves out what `skip` says it should.
    template <typename Skip>
    void take(MarketDataRing& ring, Skip skip) {
        MarketData update{};
        while (ring.try_pop(update)) {
            check(ends_ == 0, "nothing comes behind the end of a command");
            ends_ += update.ends_command ? 1 : 0;
            last_ = update;
            if (!update.has_level || skip(update)) continue;
            books_[update.symbol].update(update.side, {update.price, update.quantity, update.order_count, 0});
        }
        check(ends_ == 1, "each command ends once");
        ends_ = 0;
    }

    const MarketData& last() const { return last_; }

    bool equals(const Matcher& matcher) const {
        for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
            for (const Side side : both_sides) {
                if (levels_of(books_[symbol], symbol, side) != levels_of(matcher, symbol, side)) return false;
            }
        }
        return true;
    }

  private:
    template <typename Source>
    static std::vector<std::int64_t> levels_of(const Source& source, std::uint32_t symbol, Side side) {
        std::vector<std::int64_t> numbers;
        source.for_each_level(symbol, side, [&](const LevelRow& row) {
            numbers.insert(numbers.end(), {row.price, static_cast<std::int64_t>(row.quantity),
                                           static_cast<std::int64_t>(row.order_count)});
            return true;
        });
        return numbers;
    }

    std::vector<LevelBook> books_ = std::vector<LevelBook>(symbols, LevelBook(64));
    MarketData last_{};
    int ends_ = 0;
};

/// Whether the follower had the matcher's levels after every command.
template <typename Skip>
bool followed(Skip skip) {
    constexpr std::uint64_t events = 1024;
    LockedRegion region(LockedRegion::room_for<std::byte>(MarketDataRing::bytes_for(1024)));
    auto* block = region.take<std::byte>(MarketDataRing::bytes_for(1024));
    MarketDataRing::format(block, 1024);
    MarketDataRing ring(block);
    std::vector<Event> attributes_handle(events);
    Matcher matcher(
        {.symbols = std::vector<SymbolRules>(symbols, SymbolRules{1, 1, 0, 1000}), .orders = 1000, .trades = 1000});
    MarketDataFeed feed(matcher, ring, WaitStrategy::fail, attributes_handle.data(), events - 1);
    Follower follower;
    Random random(7);
    for (std::uint64_t number = 1; number <= commands; ++number) {
        const SentCommand order{any_command(random, number), number, number + 1, number, 0};
        const std::uint64_t before = feed.events();
        feed.begin(order);
        matcher.execute(order, feed);
        feed.end(order, {.taken = number + 2, .matched = number + 3});
        follower.take(ring, skip);
        const MarketData& last = follower.last();
        check(last.due == number && last.sent == number + 1 && last.taken == number + 2 && last.matched == number + 3,
              "the end of a command has its stamps");
        const bool rejected = feed.event(feed.events() - 1).kind == ExecType::rejected;
        check((last.operation == Operation::reject) == rejected && feed.events() > before, "and what it did");
        if (!follower.equals(matcher)) return false;
    }
    check(matcher.trades() > commands / 100, "the flow does trade");
    return true;
}

const Register whole("level feed: levels kept from it are the matcher's after every command",
                     [] { check(followed([](const MarketData&) { return false; }), "all levels, all the time"); });

const Register emptied("broken feeds: levels that are gone and not told are noticed", [] {
    check(!followed([](const MarketData& update) { return update.quantity == 0; }), "a level that never goes");
});

const Register middle("broken feeds: all but the last level of a command left out is noticed", [] {
    check(!followed([](const MarketData& update) { return !update.ends_command; }), "what sweeps and replaces leave");
});

}  // namespace

}  // namespace market_data_feed_tests
