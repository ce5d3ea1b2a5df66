// The untimed passes over the commands in a file, without Python; counted by callgrind and timed by the hints
// benchmark. Arguments: "batched" or "one" at a time or "longest", file of records, 1 if they are extended commands,
// how many seed the book, repeats, room for orders, symbols, how many of them match pro rata, tick. Prints nanoseconds
// of CPU time per command of each repeat; of "longest", those of the command that takes longest, and then the tape has
// room for as many trades and grows.
#include "engine/native/bench/loops.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <vector>

#include "engine/native/matching/matcher.hpp"
#include "tools/measure/native/pass.hpp"

#if defined(LOWLAT_COPIED)
#include "engine/native/matching/copied_batch.hpp"
#endif

using namespace lowlat;

namespace {

/// With LOWLAT_COPIED as Engine.process does it: the commands are copied a block at a time.
template <typename Record>
LOWLAT_INLINE void run_batch(Matcher& matcher, const Record* commands, std::uint64_t count, RingSink& sink) {
#if defined(LOWLAT_COPIED)
    CopiedBatch<Record> batch(matcher, commands, count);
    while (batch.left() != 0) batch.execute_block(sink);
#else
    run_batched(matcher, commands, count, sink);
#endif
}

/// Whether the engine sees the commands that follow.
enum class Look : std::uint8_t { ahead, only_at_one };

template <typename Record>
void run(Matcher& matcher, const Record* commands, std::uint64_t count, RingSink& sink, Look look) {
    if (look == Look::ahead) {
        run_batch(matcher, commands, count, sink);
    } else {
        run_one_at_a_time(matcher, commands, count, sink);
    }
}

}  // namespace

// Not inlined and outside any namespace, so that callgrind can count only inside it.
__attribute__((noinline)) void measured_pass(Matcher& matcher, const Command* commands, std::uint64_t count,
                                             RingSink& sink, Look look) {
    run(matcher, commands, count, sink, look);
}
__attribute__((noinline)) void measured_pass(Matcher& matcher, const ExtendedCommand* commands, std::uint64_t count,
                                             RingSink& sink, Look look) {
    run(matcher, commands, count, sink, look);
}

namespace {

struct Run {
    bool longest;
    Look look;
    const char* file;
    std::uint64_t seeded;
    long repeats;
    EngineConfig engine;
};

template <typename Record>
void repeat_pass(const Run& run) {
    const std::vector<Record> commands = records_in<Record>(run.file);
    const std::uint64_t count = commands.size() - run.seeded;
    std::vector<Event> ring(ring_events);
    Matcher matcher(run.engine);
    for (long repeat = 0; repeat < run.repeats; ++repeat) {
        matcher.reset();
        RingSink sink(ring.data(), ring_events - 1);
        run_batch(matcher, commands.data(), run.seeded, sink);
        const double start = cpu_ns();
        measured_pass(matcher, commands.data() + run.seeded, count, sink, run.look);
        std::printf("%.2f\n", (cpu_ns() - start) / static_cast<double>(count));
    }
}

/// The shortest time of each command over all repeats, so that what else runs here does not count; of these the
/// longest.
template <typename Record>
void find_longest(const Run& run) {
    const std::vector<Record> commands = records_in<Record>(run.file);
    std::vector<double> shortest(commands.size() - run.seeded, std::numeric_limits<double>::max());
    std::vector<Event> ring(ring_events);
    for (long repeat = 0; repeat < run.repeats; ++repeat) {
        Matcher matcher(run.engine);  // anew, since a pool stays as large as it has grown
        RingSink sink(ring.data(), ring_events - 1);
        run_batch(matcher, commands.data(), run.seeded, sink);
        for (std::size_t at = 0; at < shortest.size(); ++at) {
            const double start = cpu_ns();
            matcher.execute(commands[run.seeded + at], sink);
            shortest[at] = std::min(shortest[at], cpu_ns() - start);
        }
    }
    std::printf("%.2f\n", *std::ranges::max_element(shortest));
}

/// Prices stay in a band without overflow.
std::vector<SymbolRules> rules(std::size_t symbols, std::size_t pro_rata, std::int64_t tick) {
    const std::int64_t far = (std::int64_t{1} << 40) / tick * tick;
    std::vector<SymbolRules> all(symbols, SymbolRules{tick, 1, -far, far});
    for (std::size_t symbol = symbols - pro_rata; symbol < symbols; ++symbol)
        all[symbol].algorithm = MatchAlgorithm::pro_rata;
    return all;
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
    if (count_of_arguments != 10) {
        std::fputs("usage: loops batched|one|longest FILE EXTENDED SEEDED REPEATS ORDERS SYMBOLS PRO_RATA TICK\n",
                   stderr);
        return 2;
    }
    const auto number = [&](int at) { return std::strtoul(arguments[at], nullptr, 10); };
    const bool longest = *arguments[1] == 'l';
    const Run run{.longest = longest,
                  .look = *arguments[1] == 'b' ? Look::ahead : Look::only_at_one,
                  .file = arguments[2],
                  .seeded = number(4),
                  .repeats = static_cast<long>(number(5)),
                  .engine = {.symbols = rules(number(7), number(8), static_cast<std::int64_t>(number(9))),
                             .orders = static_cast<std::uint32_t>(number(6)),
                             .trades = longest ? number(6) : 100'000,
                             .when_orders_dry = PoolPolicy::grow,
                             .when_trades_dry = longest ? PoolPolicy::grow : PoolPolicy::recycle}};
    if (run.longest && number(3) == 0) {
        find_longest<Command>(run);
    } else if (number(3) != 0) {
        repeat_pass<ExtendedCommand>(run);
    } else {
        repeat_pass<Command>(run);
    }
}
