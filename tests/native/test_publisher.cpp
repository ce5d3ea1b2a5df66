// The publisher computes each stage from its own two timestamps, and the total from the outer ones.
#include <sys/mman.h>

#include <vector>

#include "engine/native/bench/publisher.hpp"
#include "tests/native/checks.hpp"

namespace publisher_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr TickScale one_to_one{std::uint64_t{1} << 63, 63};

struct Path {
    Path() {
        MarketDataRing::format(block, 16);
        writer.open(1, 1);
    }
    MarketDataRing ring() { return MarketDataRing(block); }

    LockedRegion ring_memory{LockedRegion::room_for<std::byte>(MarketDataRing::bytes_for(16))};
    std::byte* block = ring_memory.take<std::byte>(MarketDataRing::bytes_for(16));
    LockedRegion book_memory{LockedRegion::room_for<std::byte>(book_bytes(4))};
    BookWriter writer{BookMemory(book_memory.take<std::byte>(book_bytes(4)), 4)};
    Matcher matcher{{.symbols = {SymbolRules{1, 1, 0, 1'000}}, .orders = 10, .trades = 10}};
};

MarketData command_of(std::uint64_t due, std::uint64_t sent, std::uint64_t taken, std::uint64_t matched) {
    MarketData update{};
    update.ends_command = true;
    update.operation = Operation::cancel;
    update.due = due;
    update.sent = sent;
    update.taken = taken;
    update.matched = matched;
    return update;
}

const Register stages("publisher: each stage from its own stamps", [] {
    Path path;
    const std::uint64_t now = ticks_end();
    path.ring().try_push(command_of(now - 10'000, now - 9'000, now - 7'000, now - 6'500));
    path.ring().close();
    using enum Measure;
    Latencies latencies({response, service, scheduling_delay, queued, matched, published});
    Publisher publisher(path.matcher, {&path.writer}, true, one_to_one, latencies);
    publisher.run(path.ring(), WaitStrategy::yield);
    const auto of = [&](Measure measure) {
        return latencies.of(measure)[static_cast<std::size_t>(Operation::cancel)].max().value_or(0);
    };
    check(of(scheduling_delay) == 1'000 && of(queued) == 2'000 && of(matched) == 500, "all three by their timestamps");
    check(of(published) >= 6'500 && of(service) == of(published) + 2'500, "service from sent to shown");
    check(of(response) == of(service) + 1'000, "response from due to shown");
    check(publisher.acked() == 1 && publisher.rejected() == 0 && publisher.backwards() == 0, "and counted once");
});

std::uint64_t largest_gap(const std::vector<MarketData>& updates) {
    Path path;
    for (const MarketData& update : updates) path.ring().try_push(update);
    path.ring().close();
    Latencies latencies({Measure::service, Measure::queued, Measure::matched, Measure::published});
    Publisher publisher(path.matcher, {&path.writer}, false, one_to_one, latencies);
    publisher.run(path.ring(), WaitStrategy::yield);
    return latencies.gap_max_ticks;
}

const Register gaps("publisher: a gap is the matcher's time for a command, or its delay while it had no other", [] {
    const std::uint64_t now = ticks_end() - 1'000'000;
    const MarketData first = command_of(now, now, now + 40, now + 100);
    check(largest_gap({first}) == 60, "a command that took 60");
    check(largest_gap({first, command_of(now, now, now + 110, now + 120)}) == 60, "queued behind another is no gap");
    check(largest_gap({first, command_of(now, now, now + 900, now + 910)}) == 800, "800 after the one before");
    check(largest_gap({first, command_of(now, now + 600, now + 900, now + 910)}) == 300, "300 after it was sent");
});

const Register backwards("publisher: stamps that contradict each other are counted, not measured", [] {
    Path path;
    const std::uint64_t now = ticks_end();
    path.ring().try_push(command_of(now, now, now - 1, now));
    path.ring().try_push(command_of(now, now, now, now - 1));
    path.ring().close();
    Latencies latencies({Measure::service, Measure::queued, Measure::matched, Measure::published});
    Publisher publisher(path.matcher, {&path.writer}, false, one_to_one, latencies);
    publisher.run(path.ring(), WaitStrategy::yield);
    check(publisher.backwards() == 2 && publisher.acked() == 2, "two commands that went back in time");
    for (const Histogram& histogram : latencies.of(Measure::service)) check(histogram.total() == 0, "not measured");
});

}  // namespace

}  // namespace publisher_tests
