// The plain pass over the commands in a file, without Python; counted by callgrind and timed by the hints benchmark.
// Arguments: file of records, 1 if they are extended commands, how many seed the book, repeats, room for orders,
// symbols, how many of them match pro rata, tick. Prints nanoseconds per command of each repeat.
#include "engine/native/bench/loops.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "engine/native/matching/matcher.hpp"

using namespace lowlat;

// Not inlined and outside any namespace, so that callgrind can count only inside it.
__attribute__((noinline)) void measured_pass(Matcher& matcher, const Command* commands, std::uint64_t count,
                                             RingSink& sink) {
    run_plain(matcher, commands, count, sink);
}
__attribute__((noinline)) void measured_pass(Matcher& matcher, const ExtendedCommand* commands, std::uint64_t count,
                                             RingSink& sink) {
    run_plain(matcher, commands, count, sink);
}

namespace {

struct Run {
    const char* file;
    std::uint64_t seeded;
    long repeats;
    EngineConfig engine;
};

template <typename Record>
std::vector<Record> commands_in(const char* file) {
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    std::vector<Record> commands(static_cast<std::size_t>(in.tellg()) / sizeof(Record));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(commands.data()), static_cast<std::streamsize>(commands.size() * sizeof(Record)));
    return commands;
}

template <typename Record>
void repeat_pass(const Run& run) {
    const std::vector<Record> commands = commands_in<Record>(run.file);
    const std::uint64_t count = commands.size() - run.seeded;
    std::vector<Event> ring(ring_events);
    Matcher matcher(run.engine);
    for (long repeat = 0; repeat < run.repeats; ++repeat) {
        matcher.reset();
        RingSink sink(ring.data(), ring_events - 1);
        run_plain(matcher, commands.data(), run.seeded, sink);
        const auto start = std::chrono::steady_clock::now();
        measured_pass(matcher, commands.data() + run.seeded, count, sink);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        std::printf("%.2f\n", took.count() / static_cast<double>(count));
    }
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
    if (count_of_arguments != 9) {
        std::fputs("usage: loops FILE EXTENDED SEEDED REPEATS ORDERS SYMBOLS PRO_RATA TICK\n", stderr);
        return 2;
    }
    const auto number = [&](int at) { return std::strtoul(arguments[at], nullptr, 10); };
    const Run run{.file = arguments[1],
                  .seeded = number(3),
                  .repeats = static_cast<long>(number(4)),
                  .engine = {.symbols = rules(number(6), number(7), static_cast<std::int64_t>(number(8))),
                             .orders = static_cast<std::uint32_t>(number(5)),
                             .trades = 100'000}};
    if (number(2) != 0) {
        repeat_pass<ExtendedCommand>(run);
    } else {
        repeat_pass<Command>(run);
    }
}
