// A queue that is served by a thread which loses its CPU has the same latencies as one that never does, if time stands
// still meanwhile; and an engine's own stall stays in them.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/native/bench/on_cpu_counter.hpp"
#include "engine/native/bench/open_loop.hpp"
#include "probes/native/runqueue_wait.hpp"
#include "tests/native/checks.hpp"

namespace on_cpu_counter_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint64_t slice_ns = 4'000'000;
constexpr std::uint64_t away_ns = 12'000'000;

/// A host: its time, and how much of it the thread has waited. After each slice, if it is busy, another program has the
/// CPU. One tick is a nanosecond.
struct Host {
    bool busy = false;
    bool tells = true;
    std::uint64_t time = 1'000'000;
    std::uint64_t waited = 0;
    std::uint64_t next = slice_ns;

    void work(std::uint64_t took_ns) {
        time += took_ns;
        while (busy && time - waited >= next) {
            time += away_ns;
            waited += away_ns;
            next += slice_ns;
        }
    }
};

struct HostCounter {
    Host* host;
    std::uint64_t between() const { return host->time; }
    std::uint64_t begin() const {
        host->work(20);
        return host->time;
    }
};

struct HostWaits {
    const Host* host;
    std::optional<std::uint64_t> ns() const { return host->tells ? std::optional(host->waited) : std::nullopt; }
};

/// Broken: whatever took long was a wait.
struct AllIsWaiting {
    const Host* host;
    std::optional<std::uint64_t> ns() const { return host->time; }
};

constexpr std::uint64_t commands = 50'000;
constexpr std::uint64_t stalled = 20'000;
constexpr std::uint64_t stall_ns = 2'000'000;

struct Served {
    std::vector<std::uint64_t> responses;
    std::optional<std::uint64_t> stood_still_ns;
};

/// Commands every 1,000 ns, of 700 ns each; the engine itself stalls once.
template <typename Waits = HostWaits>
Served serve(Host host) {
    std::vector<std::uint64_t> planned(commands);
    for (std::uint64_t at = 0; at < commands; ++at) planned[at] = at * 1'000;
    const Waits waits{&host};
    CounterClock clock(OnCpuCounter(HostCounter{&host}, waits, ns_of_ticks(1e9)));
    Served served;
    run_open(
        clock, clock.now(), planned.data(), commands,
        [&](std::uint64_t at) { host.work(700 + (at == stalled ? stall_ns : 0)); },
        [&](std::uint64_t, const Timing& timing) { served.responses.push_back(timing.response()); });
    served.stood_still_ns = clock.counter().stood_still_ns();
    return served;
}

/// Commands whose response differs by more than two reads of the clock.
std::uint64_t differing(const Served& one, const Served& other) {
    std::uint64_t found = 0;
    for (std::uint64_t at = 0; at < commands; ++at) {
        const std::uint64_t a = one.responses[at];
        const std::uint64_t b = other.responses[at];
        found += (a > b ? a - b : b - a) > 40 ? 1 : 0;
    }
    return found;
}

const Register same("on-CPU counter: a thread that loses its CPU has the latencies of one that does not", [] {
    const Served quiet = serve({});
    const Served busy = serve({.busy = true});
    check(differing(quiet, busy) == 0, "no response differs");
    check(busy.stood_still_ns == (commands * 1'000 / slice_ns) * away_ns, "it stood still for all the time away");
    check(quiet.stood_still_ns == 0, "and never on a quiet host");
});

const Register own("on-CPU counter: the engine's own stall stays", [] {
    const Served busy = serve({.busy = true});
    check(busy.responses[stalled] >= stall_ns + 700 && busy.responses[stalled + 1] > stall_ns,
          "a stall of 2 ms, and a queue behind it");
    check(serve<AllIsWaiting>({.busy = true}).responses[stalled] < stall_ns, "which one that forgives it would lose");
});

const Register untold("on-CPU counter: where the scheduler does not tell, nothing is left out", [] {
    const Served raw = serve({.busy = true, .tells = false});
    check(!raw.stood_still_ns, "it is not known");
    check(differing(serve({}), raw) > commands / 2, "and the latencies of a busy host are not those of a quiet one");
});

const Register figures("run-queue wait: the second figure, where the kernel counts", [] {
    const auto read = [](std::string_view text) {
        return RunqueueWait::second_figure(text.data(), text.data() + text.size());
    };
    check(read("123456 789 12\n") == 789, "it waited for 789 ns");
    check(!read("0 0 0\n") && !read("") && !read("12") && !read("12 x") && !read("no 1 2"), "otherwise unknown");
});

}  // namespace

}  // namespace on_cpu_counter_tests
