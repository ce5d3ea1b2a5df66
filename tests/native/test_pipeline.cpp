// The whole path with its threads: everything that the producers send reaches the publisher, and no reader sees a torn
// book. tools/ci/sanitize.sh runs it under the thread sanitizer.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "engine/native/bench/pipeline.hpp"
#include "engine/native/flow/synthetic.hpp"
#include "engine/native/matching/sinks.hpp"
#include "tests/native/checks.hpp"

namespace pipeline_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint32_t depth = 16;
constexpr std::uint32_t live_orders = 1'000;
#if defined(LOWLAT_CHECKED)
constexpr std::uint64_t count = 20'000;
#else
constexpr std::uint64_t count = 200'000;
#endif
constexpr TickScale one_to_one{std::uint64_t{1} << 63, 63};
const FlowProfile steady{.weights = {50, 34, 10, 1, 1, 1, 1, 1, 1},
                         .live_orders = live_orders,
                         .distance_ticks = 8,
                         .quantity_max = 100,
                         .take_quantity_max = 100,
                         .take_ticks = 2};

/// Memory of a book, as a file would give it.
class MappedMemory {
  public:
    MappedMemory() {
        mapped_ = mmap(nullptr, book_bytes(depth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        check(mapped_ != MAP_FAILED, "there is memory for a book");
    }
    MappedMemory(const MappedMemory&) = delete;
    MappedMemory& operator=(const MappedMemory&) = delete;
    ~MappedMemory() { munmap(mapped_, book_bytes(depth)); }
    BookMemory memory() const { return {static_cast<std::byte*>(mapped_), depth}; }

  private:
    void* mapped_;
};

/// The numbers of the commands that each producer sends: an order's all by one.
std::vector<std::vector<std::uint32_t>> shared_out(const std::vector<Command>& commands, std::uint32_t producers) {
    std::vector<std::vector<std::uint32_t>> numbers(producers);
    for (std::uint32_t at = 0; at < commands.size(); ++at) numbers[commands[at].order_id % producers].push_back(at);
    return numbers;
}

bool has_the_levels_of(const Matcher& matcher, const BookMemory& memory) {
    for (const Side side : both_sides) {
        std::uint32_t at = 0;
        bool same = true;
        matcher.for_each_level(0, side, [&](const LevelRow& row) {
            same = same && same_level(memory.side(side)[at].load(), row);
            return ++at < depth;
        });
        if (!same || BookReader(memory).count(side) != at) return false;
    }
    return true;
}

/// Reads the book until told to stop, and checks that it is whole each time.
void watch(const BookMemory& memory, const std::atomic<bool>& over) {
    const BookReader reader(memory);
    std::vector<LevelRow> bids(depth);
    std::vector<LevelRow> asks(depth);
    BookStamp stamp{};
    while (!over.load(std::memory_order_acquire)) {
        if (!reader.snapshot(depth, bids.data(), asks.data(), stamp) || stamp.bids == 0 || stamp.asks == 0) continue;
        check(bids[0].price < asks[0].price, "no book is crossed");
        for (std::uint32_t at = 1; at < stamp.bids; ++at) check(bids[at].price < bids[at - 1].price, "bids descend");
        for (std::uint32_t at = 1; at < stamp.asks; ++at) check(asks[at].price > asks[at - 1].price, "asks ascend");
    }
}

void walk(std::uint32_t producers, bool paced) {
    SyntheticFlow flow(steady, 1);
    std::vector<Command> seeding(live_orders);
    std::vector<Command> commands(count);
    flow.seed(seeding.data());
    flow.generate(commands.data(), count);
    std::vector<std::uint64_t> planned(paced ? count : 0);
    for (std::uint64_t at = 0; at < planned.size(); ++at) planned[at] = at * 1'000;

    Matcher matcher({.symbols = {SymbolRules{1, 1, 0, 1'000'000}}, .orders = 50'000, .trades = 10'000});
    std::vector<Event> events(1024);
    RingSink sink(events.data(), 1023);
    matcher.execute_all(seeding.data(), seeding.size(), sink);

    MappedMemory mapped;
    BookWriter writer(mapped.memory());
    writer.open(1, 1);
    using enum Measure;
    Latencies latencies({response, service, scheduling_delay, queued, matched, published});
    Pipeline pipeline(matcher, commands, planned, producers, {&writer}, one_to_one, latencies);
    const auto numbers = shared_out(commands, producers);

    std::atomic<bool> over = false;
    std::thread watcher([&] { watch(mapped.memory(), over); });
    std::vector<std::thread> threads;
    threads.emplace_back([&] { pipeline.publish(WaitStrategy::yield); });
    for (const auto& mine : numbers) threads.emplace_back([&] { pipeline.produce(mine, WaitStrategy::yield); });
    pipeline.match(WaitStrategy::yield);
    for (std::thread& thread : threads) thread.join();
    over.store(true, std::memory_order_release);
    watcher.join();

    const Publisher& seen = pipeline.publisher();
    check(pipeline.sent() == count && seen.acked() + seen.rejected() == count, "all sent is carried out or rejected");
    check(seen.backwards() == 0, "no stamp goes backwards");
    check(has_the_levels_of(matcher, mapped.memory()), "the book is the matcher's");
    std::vector<std::uint32_t> order(pipeline.order_of_matching().begin(), pipeline.order_of_matching().end());
    if (producers == 1) check(std::is_sorted(order.begin(), order.end()), "one producer's commands keep their order");
    std::sort(order.begin(), order.end());
    for (std::uint32_t at = 0; at < count; ++at) check(order[at] == at, "each command is matched once");
    for (const Measure measure : {service, queued, matched, published}) {
        std::uint64_t total = 0;
        for (const Histogram& histogram : latencies.of(measure)) total += histogram.total();
        check(total == count, "each command is measured once");
    }
}

const Register one("pipeline: one producer", [] { walk(1, false); });
const Register three("pipeline: three producers", [] { walk(3, false); });
const Register paced("pipeline: two producers at planned times", [] { walk(2, true); });

const Register abandoned("pipeline: a thread that never comes ends the others", [] {
    const std::vector<Command> commands(100);
    const std::vector<std::uint32_t> numbers{0, 1, 2};
    Matcher matcher({.symbols = {SymbolRules{1, 1, 0, 1'000}}, .orders = 100, .trades = 100});
    MappedMemory mapped;
    BookWriter writer(mapped.memory());
    writer.open(1, 1);
    using enum Measure;
    Latencies latencies({service, queued, matched, published});
    Pipeline pipeline(matcher, commands, {}, 2, {&writer}, one_to_one, latencies);
    std::thread publisher([&] { pipeline.publish(WaitStrategy::yield); });
    std::thread producer([&] { pipeline.produce(numbers, WaitStrategy::yield); });
    std::thread other([&] { pipeline.abandon(); });
    pipeline.match(WaitStrategy::yield);
    publisher.join();
    producer.join();
    other.join();
    check(!pipeline.order_of_matching().empty() || pipeline.fed().events == 0, "all have come back");
});

}  // namespace

}  // namespace pipeline_tests
