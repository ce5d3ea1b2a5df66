// After an engine has started, commands cause no allocations and no page faults: counted over ten million of them.
#include <sys/resource.h>

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "engine/native/flow/synthetic.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/sinks.hpp"
#include "engine/native/platform/allocations.hpp"
#include "tests/native/checks.hpp"

namespace hot_path_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

struct Taken {
    std::int64_t allocations;
    std::uint64_t heap_bytes;
    long page_faults;
};

Taken taken_so_far() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
#if defined(__GLIBC__)
    const std::uint64_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
#else
    const std::uint64_t heap = 0;
#endif
    return {allocations(), heap, usage.ru_minflt + usage.ru_majflt};
}

/// Executes commands without an allocation; the page faults meanwhile.
long page_faults(Matcher& matcher, const Command* commands, std::uint64_t count, RingSink& sink) {
    const Taken before = taken_so_far();
    matcher.execute_all(commands, count, sink);
    const Taken after = taken_so_far();
    check(after.allocations == before.allocations, "no allocation");
    check(after.heap_bytes == before.heap_bytes, "no heap memory");
    return after.page_faults - before.page_faults;
}

/// `faults` makes an engine and gives it a flow. The engine's own page faults come again in each new engine that gets
/// the same flow. Those of a busy host do not: its kernel moves pages, and whoever touches one meanwhile faults.
template <class Faults>
void check_no_page_fault(Faults faults) {
    [[maybe_unused]] bool none = faults() == 0;
#if !defined(LOWLAT_CHECKED)  // the sanitizers fault in pages of their own
    for (int again = 0; !none && again < 2; ++again) {
#if defined(__GLIBC__)
        malloc_trim(0);  // no page that the engine before has faulted in
#endif
        none = faults() == 0;
    }
    check(none, "no page fault");
#endif
}

/// Makes commands a part at a time, and executes each part; the page faults.
long faults_of_flow(const FlowProfile& profile, std::uint64_t count) {
    constexpr std::uint64_t part = 500'000;
    std::vector<Command> commands(std::max<std::uint64_t>(part, profile.live_orders));
    std::vector<Event> ring(1'024);  // written here, so it is resident
    SyntheticFlow flow(profile, 1);
    const EngineConfig settings{
        .symbols = std::vector<SymbolRules>(profile.symbols, SymbolRules{1, 1, -(1LL << 40), 1LL << 40}),
        .orders = std::max(50'000U, 2 * profile.live_orders),
        .trades = 100'000};
    Matcher matcher(settings);
    RingSink sink(ring.data(), ring.size() - 1);
    flow.seed(commands.data());
    matcher.execute_all(commands.data(), profile.live_orders, sink);
    flow.generate(commands.data(), 1'000);
    matcher.execute_all(commands.data(), 1'000, sink);  // the program's own pages are read from its file
    (void)taken_so_far();
    long faults = 0;
    for (std::uint64_t done = 0; done < count; done += part) {
        flow.generate(commands.data(), part);
        faults += page_faults(matcher, commands.data(), part, sink);
    }
    check_invariants(matcher);
    check(matcher.trades() > 0 && matcher.sequence() >= count, "the flow did trade");
    return faults;
}

void run_flow(const FlowProfile& profile, std::uint64_t count) {
    check_no_page_fault([&] { return faults_of_flow(profile, count); });
}

const Register counted("hot path: what is counted is seen", [] {
    const Taken before = taken_so_far();
    std::vector<Command>* commands = new std::vector<Command>(1'000'000);
    const Taken after = taken_so_far();
    if (allocations() >= 0) check(after.allocations == before.allocations + 2, "two allocations");
    check(after.page_faults > before.page_faults, "page faults of fresh memory");
    delete commands;
});

#if defined(LOWLAT_CHECKED)
constexpr std::uint64_t million = 100'000;
#else
constexpr std::uint64_t million = 1'000'000;
#endif

/// Rows of a distribution: values, each with its share in percent.
Distribution rows(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> percent) {
    std::vector<std::uint64_t> flat;
    for (const auto& [value, share] : percent) flat.insert(flat.end(), {value, (share << 32) / 100});
    return {flat, 1};
}

const Register market("hot path: a market of short lives is generated and executed without allocating", [] {
    const FlowProfile profile{
        .weights = {50, 46, 0, 0, 4, 0, 0, 1, 0},
        .live_orders = 1'000,
        .quantity_max = 100,
        .take_quantity_max = 100,
        .placement = {.spread_ticks = 10,
                      .improve = std::uint64_t{1} << 30,
                      .join = std::uint64_t{1} << 29,
                      .new_level = std::uint64_t{1} << 31,
                      .improve_ticks = rows({{1, 50}, {9, 100}}),
                      .behind_ticks = rows({{1, 10}, {20, 60}, {900, 100}})},
        .lifetimes = {{.within_ticks = 0, .commands = rows({{5, 50}, {900, 95}})},
                      {.within_ticks = 0, .commands = rows({{20, 50}, {9'000, 95}})}},
        .aggression = {.clear = std::uint64_t{1} << 31, .sweep = 1 << 28, .sweep_levels = rows({{2, 80}, {5, 100}})}};
    run_flow(profile, million);
    constexpr std::uint64_t count = 200'000;
    std::vector<Command> commands(count);
    SyntheticFlow flow(profile, 1);
    flow.reserve(4 * count);
    flow.seed(commands.data());
    flow.generate(commands.data(), count);  // its own pages are resident now
    const Taken before = taken_so_far();
    flow.generate(commands.data(), count);
    const Taken after = taken_so_far();
    check(after.allocations == before.allocations, "no allocation");
    check(after.heap_bytes == before.heap_bytes, "no heap memory");
});

const Register steady("hot path: four million commands near the touch take nothing", [] {
    run_flow({.weights = {50, 34, 10, 1, 1, 1, 1, 1, 1},
              .live_orders = 10'000,
              .distance_ticks = 8,
              .quantity_max = 100,
              .take_quantity_max = 100,
              .take_ticks = 2},
             4 * million);
});

const Register sweeping("hot path: two million commands that walk many levels take nothing", [] {
    run_flow({.weights = {60, 10, 30, 0, 0, 0, 0, 0, 0},
              .live_orders = 20'000,
              .distance_ticks = 500,
              .uniform = 1,
              .quantity_max = 10,
              .take_quantity_max = 100,
              .take_ticks = 50},
             2 * million);
});

const Register crash("hot path: two million commands while the touch travels through windows take nothing", [] {
    run_flow({.weights = {50, 35, 10, 0, 0, 0, 0, 0, 5},
              .live_orders = 5'000,
              .distance_ticks = 50,
              .quantity_max = 10,
              .take_quantity_max = 50,
              .take_ticks = 50,
              .travel_ticks = 500'000,
              .travel_per_1000 = 2'000},
             2 * million);
});

const Register many("hot path: two million commands over a thousand books take nothing", [] {
    constexpr std::uint32_t books = 1'000;
    std::vector<std::uint64_t> zipf;
    for (std::uint64_t rank = 1; rank <= books; ++rank) zipf.push_back((std::uint64_t{1} << 32) / rank);
    run_flow({.weights = {50, 40, 10, 0, 0, 0, 0, 0, 0},
              .symbols = books,
              .live_orders = 20'000,
              .distance_ticks = 300,
              .quantity_max = 10,
              .take_quantity_max = 20,
              .take_ticks = 5,
              .popularity = zipf},
             2 * million);
});

const Register far_prices("hot path: half a million commands at both ends of int64 take nothing", [] {
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    constexpr std::uint64_t count = 500'000;
    std::vector<Command> commands(count);
    Random random(1);
    for (std::uint64_t at = 0; at < count; ++at) {
        // Orders enter in one half and leave in the other, 20,000 later, so that levels come and go everywhere.
        const bool adds = at % 40'000 < 20'000;
        const auto step = static_cast<std::int64_t>(random.next() >> 2);
        commands[at] = {.order_id = at % 20'000 + 1,
                        .price = (at & 1) != 0 ? highest - step : lowest + step,
                        .quantity = 1,
                        .symbol = 0,
                        .kind = adds ? CommandType::limit : CommandType::cancel,
                        .side = static_cast<std::uint8_t>(at & 1),
                        .time_in_force = 0,
                        .flags = 0};
    }
    check_no_page_fault([&] {
        std::vector<Event> ring(1'024);
        Matcher matcher({.symbols = {SymbolRules{1, 1, lowest, highest}}, .orders = 20'000, .trades = 1});
        RingSink sink(ring.data(), ring.size() - 1);
        matcher.execute_all(commands.data(), 40'000, sink);
        return page_faults(matcher, commands.data(), count, sink);
    });
});

}  // namespace

}  // namespace hot_path_tests
