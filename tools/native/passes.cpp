// The plain pass over a flood, without Python around it: what callgrind counts and what the hints benchmark times.
// Arguments: commands, seed, repeats, then the nine weights and the nine other numbers of a FloodProfile in order.
// Prints nanoseconds per command of each repeat.
#include "engine/native/passes.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/native/flood.hpp"

using namespace lowlat;

namespace {

FloodProfile profile_from(char** numbers) {
    const auto number = [&] { return static_cast<std::uint32_t>(std::strtoul(*numbers++, nullptr, 10)); };
    FloodProfile profile;
    for (std::uint32_t& weight : profile.weights) weight = number();
    for (std::uint32_t* field :
         {&profile.symbols, &profile.live_orders, &profile.distance_ticks, &profile.uniform, &profile.quantity_max,
          &profile.take_quantity_max, &profile.take_ticks, &profile.travel_ticks, &profile.travel_per_1000})
        *field = number();
    return profile;
}

}  // namespace

// Not inlined and outside any namespace, so that callgrind can be told to count inside it only.
__attribute__((noinline)) void measured_pass(Matcher& matcher, const Command* commands, std::uint64_t count,
                                             RingSink& sink) {
    run_plain(matcher, commands, count, sink);
}

int main(int count_of_arguments, char** arguments) {
    if (count_of_arguments != 22) {
        std::fprintf(stderr, "usage: passes COMMANDS SEED REPEATS and the 18 numbers of a profile\n");
        return 2;
    }
    const std::uint64_t count = std::strtoull(arguments[1], nullptr, 10);
    const std::uint64_t seed = std::strtoull(arguments[2], nullptr, 10);
    const long repeats = std::strtol(arguments[3], nullptr, 10);
    const FloodProfile profile = profile_from(arguments + 4);

    std::vector<Command> commands(profile.live_orders + count);
    {
        Flood flood(profile, seed);
        flood.seed(commands.data());
        flood.generate(commands.data() + profile.live_orders, count);
    }
    constexpr std::int64_t far = std::int64_t{1} << 40;
    const Settings settings{.symbols = std::vector<Rules>(profile.symbols, Rules{1, 1, -far, far}),
                            .orders = std::max(50'000U, 2 * profile.live_orders),
                            .trades = 100'000};
    std::vector<Event> ring(ring_events);
    Matcher matcher(settings);
    for (long repeat = 0; repeat < repeats; ++repeat) {
        matcher.reset();
        RingSink sink(ring.data(), ring_events - 1);
        run_plain(matcher, commands.data(), profile.live_orders, sink);
        const auto start = std::chrono::steady_clock::now();
        measured_pass(matcher, commands.data() + profile.live_orders, count, sink);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        std::printf("%.2f\n", took.count() / static_cast<double>(count));
    }
}
