// The plain pass over a synthetic flow, without Python; counted by callgrind and timed by the hints benchmark.
// Arguments: commands, seed, repeats, then the weights and the other numbers of a FloodProfile in order, then 1 if its
// commands have terms. Prints nanoseconds of CPU time per command of each repeat.
#include "engine/native/bench/loops.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "engine/native/flow/synthetic.hpp"

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
    run_plain(matcher, commands, count, sink);
#endif
}

double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

FlowProfile profile_from(char** numbers) {
    const auto number = [&] { return static_cast<std::uint32_t>(std::strtoul(*numbers++, nullptr, 10)); };
    FlowProfile profile;
    for (std::uint32_t& weight : profile.weights) weight = number();
    for (std::uint32_t* field : {&profile.symbols, &profile.live_orders, &profile.distance_ticks, &profile.uniform,
                                 &profile.quantity_max, &profile.take_quantity_max, &profile.take_ticks,
                                 &profile.travel_ticks, &profile.travel_per_1000, &profile.owners, &profile.pro_rata})
        *field = number();
    return profile;
}

}  // namespace

// Not inlined and outside any namespace, so that callgrind can count only inside it.
__attribute__((noinline)) void measured_pass(Matcher& matcher, const Command* commands, std::uint64_t count,
                                             RingSink& sink) {
    run_batch(matcher, commands, count, sink);
}
__attribute__((noinline)) void measured_pass(Matcher& matcher, const ExtendedCommand* commands, std::uint64_t count,
                                             RingSink& sink) {
    run_batch(matcher, commands, count, sink);
}

namespace {

template <typename Record>
void repeat_pass(const FlowProfile& profile, std::uint64_t count, std::uint64_t seed, long repeats) {
    std::vector<Record> commands(profile.live_orders + count);
    {
        SyntheticFlow flood(profile, seed);
        flood.seed(commands.data());
        flood.generate(commands.data() + profile.live_orders, count);
    }
    const EngineConfig settings{
        .symbols = profile.rules(), .orders = std::max(50'000U, 2 * profile.live_orders), .trades = 100'000};
    std::vector<Event> ring(ring_events);
    Matcher matcher(settings);
    for (long repeat = 0; repeat < repeats; ++repeat) {
        matcher.reset();
        RingSink sink(ring.data(), ring_events - 1);
        run_batch(matcher, commands.data(), profile.live_orders, sink);
        const double start = cpu_ns();
        measured_pass(matcher, commands.data() + profile.live_orders, count, sink);
        std::printf("%.2f\n", (cpu_ns() - start) / static_cast<double>(count));
    }
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
    constexpr int numbers = acts + 11;
    if (count_of_arguments != 4 + numbers + 1) {
        std::fprintf(stderr, "usage: passes COMMANDS SEED REPEATS, the %d numbers of a profile, 0|1\n", numbers);
        return 2;
    }
    const std::uint64_t count = std::strtoull(arguments[1], nullptr, 10);
    const std::uint64_t seed = std::strtoull(arguments[2], nullptr, 10);
    const long repeats = std::strtol(arguments[3], nullptr, 10);
    const FlowProfile profile = profile_from(arguments + 4);
    if (*arguments[4 + numbers] == '1') {
        repeat_pass<ExtendedCommand>(profile, count, seed, repeats);
    } else {
        repeat_pass<Command>(profile, count, seed, repeats);
    }
}
