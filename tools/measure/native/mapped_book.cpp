// Measures publishing and reading a mapped book, in a file mapped as the engine does, without Python. Argument: a
// folder for the file. Prints one figure per line, as NAME NANOSECONDS; the best of several passes.
#include "engine/native/shared_book/mapped_book.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/shared_book/level_book.hpp"

using namespace lowlat;

namespace {

constexpr std::uint32_t depth = 64;
constexpr std::uint64_t rounds = 100'000;

std::byte* map_file(const std::string& folder) {
    std::string name = folder + "/bookXXXXXX";
    const int file = mkstemp(name.data());
    if (file < 0 || posix_fallocate(file, 0, book_bytes(depth)) != 0) std::exit(1);
    unlink(name.c_str());
    void* mapped = mmap(nullptr, book_bytes(depth), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) std::exit(1);
    return static_cast<std::byte*>(mapped);
}

/// Nanoseconds per call in the fastest of seven passes of `rounds` calls; each call gets its number.
template <typename Work>
double best_ns(Work work) {
    double best = 1e300;
    std::uint64_t number = 0;
    for (int pass = 0; pass < 7; ++pass) {
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t n = 0; n < rounds; ++n) work(number++);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / rounds);
    }
    return best;
}

void print(const char* what, double ns) {
    std::printf("%s %.2f\n", what, ns);
}

/// A matcher with `depth` levels of one order on each side.
void fill(Matcher& matcher) {
    std::vector<Event> events(8);
    RingSink sink(events.data(), 7);
    for (std::uint32_t n = 0; n < depth; ++n) {
        for (const Side side : both_sides) {
            const std::int64_t away = n + 1;
            matcher.execute({.order_id = 2 * n + byte_of(side) + 1,
                             .price = 1000 + (side == Side::buy ? -away : away),
                             .quantity = 5,
                             .symbol = 0,
                             .kind = CommandType::limit,
                             .side = byte_of(side),
                             .time_in_force = 0,
                             .flags = 0},
                            sink);
        }
    }
}

void measure_writer(BookWriter& writer) {
    constexpr double levels = 2.0 * depth;
    print("set_level", best_ns([&](std::uint64_t n) {
                           writer.begin();
                           for (const Side side : both_sides)
                               for (std::uint32_t at = 0; at < depth; ++at)
                                   writer.set_level(side, at, {static_cast<std::int64_t>(n), n, n, 0});
                           writer.end(n);
                       }) / levels);
    Matcher matcher({.symbols = {SymbolRules{1, 1, 0, 1'000'000}}, .orders = 1000, .trades = 1000});
    fill(matcher);
    writer.publish(0, matcher, 0);
    print("publish_unchanged", best_ns([&](std::uint64_t n) { writer.publish(n, matcher, 0); }) / levels);
    print("publish_changed", best_ns([&](std::uint64_t n) {
                                 // Simulates another writer: all levels differ from the matcher's.
                                 writer.begin();
                                 for (std::uint32_t at = 0; at < depth; ++at) {
                                     store_word(writer.memory().side(Side::buy)[at].orders, n + 2);
                                     store_word(writer.memory().side(Side::sell)[at].orders, n + 2);
                                 }
                                 writer.end(n);
                                 writer.publish(n, matcher, 0);
                             }) / levels);
    std::vector<Event> events(8);
    RingSink sink(events.data(), 7);
    const auto reduce_and_back = [&](std::uint64_t n) {
        Command command{.order_id = 1,
                        .price = 999,
                        .quantity = static_cast<std::int64_t>(4 + n % 2),
                        .symbol = 0,
                        .kind = CommandType::replace,
                        .side = 0,
                        .time_in_force = 0,
                        .flags = 0};
        matcher.execute(command, sink);
    };
    const double alone = best_ns(reduce_and_back);
    print("publish_after_one_command", best_ns([&](std::uint64_t n) {
                                           reduce_and_back(n);
                                           writer.publish(n, matcher, 0);
                                       }) - alone);
}

/// The cost per command of notifying a publisher of a level: an order is added and removed, with and without the feed.
void measure_feed() {
    constexpr std::uint64_t events = 1024;
    Matcher matcher({.symbols = {SymbolRules{1, 1, 0, 1'000'000}}, .orders = 1000, .trades = 1000});
    fill(matcher);
    std::vector<Event> kept(events);
    RingSink sink(kept.data(), events - 1);
    const auto come_and_go = [&](std::uint64_t n, auto execute) {
        Command command{.order_id = 1'000'000 + n,
                        .price = 990 + static_cast<std::int64_t>(n % 10),
                        .quantity = 5,
                        .symbol = 0,
                        .kind = CommandType::limit,
                        .side = 0,
                        .time_in_force = 0,
                        .flags = 0};
        execute(command);
        command.kind = CommandType::cancel;
        execute(command);
    };
    LockedRegion region(MarketDataRing::bytes_for(market_data_ring_capacity));
    auto* block = region.take<std::byte>(MarketDataRing::bytes_for(market_data_ring_capacity));
    MarketDataRing::format(block, market_data_ring_capacity);
    MarketDataRing ring(block);
    MarketDataFeed feed(matcher, ring, WaitStrategy::spin, kept.data(), events - 1);
    double least = 1e300;
    for (int repeat = 0; repeat < 3; ++repeat) {
        const double alone = best_ns(
            [&](std::uint64_t n) { come_and_go(n, [&](const Command& command) { matcher.execute(command, sink); }); });
        const double fed = best_ns([&](std::uint64_t n) {
            come_and_go(n, [&](const Command& command) {
                feed.begin(command);
                matcher.execute(command, feed);
                feed.end({command, n, n, n, 0}, {.taken = n, .matched = n});
            });
            if (n % 8192 == 0) ring.release(ring.peek(market_data_ring_capacity).size());
        });
        least = std::min(least, (fed - alone) / 2);
    }
    print("feed_level", least);
}

/// Median time of a snapshot taken right after an update, when the cache line is in the writer's core. Includes one
/// read of the clock.
template <typename Snapshot>
double median_after_updates(const BookReader& reader, Snapshot snapshot) {
    std::vector<double> times;
    std::uint64_t seen = reader.sequence();
    while (times.size() < 20'000) {
        const std::uint64_t now = reader.sequence();
        if (now == seen || (now & 1) != 0) continue;
        const auto start = std::chrono::steady_clock::now();
        snapshot(0);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        times.push_back(took.count());
        seen = now;
    }
    std::nth_element(times.begin(), times.begin() + 10'000, times.end());
    return times[10'000];
}

void measure_reader(BookWriter& writer, const BookReader& reader) {
    std::array<LevelRow, depth> bids{};
    std::array<LevelRow, depth> asks{};
    BookStamp stamp{};
    const auto snapshot = [&](std::uint64_t) {
        static_cast<void>(reader.snapshot(10, bids.data(), asks.data(), stamp));
    };
    print("snapshot_quiet", best_ns(snapshot));
    std::atomic<bool> stop = false;
    std::thread writing([&] {
        for (std::uint64_t n = 0; !stop.load(std::memory_order_relaxed); ++n) {
            writer.begin();
            writer.set_level(Side::buy, static_cast<std::uint32_t>(n % 10), {static_cast<std::int64_t>(n), n, n, 0});
            writer.end(n);
            const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(1);
            while (std::chrono::steady_clock::now() < until) {
            }
        }
    });
    print("snapshot_after_each_update", median_after_updates(reader, snapshot));
    stop = true;
    writing.join();
}

void measure_mirror(BookWriter& writer) {
    LevelBook mirror(depth);
    for (std::int64_t n = 1; n <= 1000; ++n) {
        mirror.update(Side::buy, {10'000 - n, 1, 1, 0});
        mirror.update(Side::sell, {10'000 + n, 1, 1, 0});
    }
    print("mirror_update", best_ns([&](std::uint64_t n) {
              mirror.update(Side::buy, {10'000 - static_cast<std::int64_t>(n % 10) - 1, n + 1, 1, 0});
          }));
    print("mirror_update_and_publish", best_ns([&](std::uint64_t n) {
              mirror.update(Side::buy, {10'000 - static_cast<std::int64_t>(n % 10) - 1, n + 2, 1, 0});
              writer.publish(n, mirror, 0);
          }));
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const BookMemory memory(map_file(arguments[1]), depth);
    BookWriter writer(memory);
    writer.open(1, 1);
    measure_writer(writer);
    measure_reader(writer, BookReader(memory));
    measure_mirror(writer);
    measure_feed();
}
