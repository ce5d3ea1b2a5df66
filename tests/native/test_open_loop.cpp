// Latency runs from the intended start time. One stall in an otherwise even run has a closed form, which the loop must
// reproduce; the same check must reject a loop that plans each command from the end of the one before.
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "engine/native/bench/open_loop.hpp"
#include "engine/native/bench/timestamps.hpp"
#include "reports/native/histogram.hpp"
#include "tests/native/checks.hpp"

namespace open_loop_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// A clock that advances only on request, or by the cost of a read: one tick is a nanosecond.
struct ToldClock {
    std::uint64_t time = 0;
    std::uint64_t read_ns = 0;
    std::uint64_t reads = 0;

    std::uint64_t now() {
        ++reads;
        return time += read_ns;
    }
    std::uint64_t wait_until(std::uint64_t due) {
        if (time < due) time = due;
        return now();
    }
};

constexpr std::uint64_t count = 1'000'000;
constexpr std::uint64_t spacing_ns = 1'000;
constexpr std::uint64_t service_ns = 300;
constexpr std::uint64_t stall_ns = 10'000'000;

struct Measured {
    Histogram response;
    Histogram service;
    Histogram scheduling_delay;
};

/// A second at 1 M/s of commands that take 300 ns, all but one, which takes 10 ms more.
template <typename Loop>
void run_with_a_stall(Loop loop, Measured& measured) {
    std::vector<std::uint64_t> planned(count);
    for (std::uint64_t at = 0; at < count; ++at) planned[at] = at * spacing_ns;
    ToldClock clock{5'000};
    loop(
        clock, 5'000, planned.data(), count,
        [&](std::uint64_t at) { clock.time += service_ns + (at == count / 2 ? stall_ns : 0); },
        [&](std::uint64_t, const Timing& timing) {
            measured.response.record(timing.response());
            measured.service.record(timing.service());
            measured.scheduling_delay.record(timing.scheduling_delay());
        });
}

std::uint64_t percentile(const Histogram& histogram, std::uint64_t beyond) {
    std::uint64_t left = beyond;
    for (std::size_t index = Histogram::bucket_count; index-- > 0;) {
        const std::uint64_t here = histogram.counts()[index];
        if (here > left) return index;
        left -= here;
    }
    return 0;
}

bool is_about(std::uint64_t index, std::uint64_t value) {
    const std::size_t wanted = Histogram::index_of(value);
    return index + 3 >= wanted && index <= wanted + 3;  // three buckets of 1/1,024 each
}

/// Behind the stall the queue shrinks by 700 ns with each command, so that 10 ms / 700 ns = 14,286 commands are late by
/// 10 ms at first, evenly less, and 0 at last. Of a million the 10,000th worst waits 10 ms * (1 - 10,000 / 14,286).
bool is_the_closed_form(const Measured& measured) {
    return is_about(percentile(measured.response, count / 100), 3'000'000) &&
           is_about(percentile(measured.response, count / 1000), 9'300'000) &&
           percentile(measured.service, count / 100) == Histogram::index_of(service_ns) &&
           is_about(percentile(measured.scheduling_delay, count / 100), 3'000'000) &&
           measured.response.max() == stall_ns + service_ns;
}

/// Broken: the next command is planned when the last has ended, whenever that was.
template <typename Clock, typename Execute, typename Record>
void run_without_a_plan(Clock& clock, std::uint64_t, const std::uint64_t*, std::uint64_t n, Execute execute,
                        Record record) {
    for (std::uint64_t at = 0; at < n; ++at) {
        const std::uint64_t start = clock.wait_until(clock.now() + spacing_ns - service_ns);
        execute(at);
        record(at, Timing{start, start, clock.now()});
    }
}

const Register closed_form("open loop: one stall has its closed form", [] {
    Measured measured;
    run_with_a_stall([](auto&&... given) { run_open(given...); }, measured);
    check(is_the_closed_form(measured), "p99 of the response is 3.00 ms, p99.9 9.3 ms, and the service's 300 ns");
});

const Register omission("open loop: a loop that waits for the slow command is rejected", [] {
    Measured measured;
    run_with_a_stall([](auto&&... given) { run_without_a_plan(given...); }, measured);
    check(!is_the_closed_form(measured), "coordinated omission is seen");
    check(percentile(measured.response, count / 1000) == Histogram::index_of(service_ns), "it shows 300 ns at p99.9");
});

const Register early("open loop: no command starts before it is due, and one that is late starts at once", [] {
    const std::uint64_t planned[] = {0, 100, 110, 400};
    ToldClock clock;
    std::vector<Timing> timings;
    run_open(
        clock, 0, planned, 4, [&](std::uint64_t) { clock.time += 50; },
        [&](std::uint64_t, const Timing& timing) { timings.push_back(timing); });
    check(timings[1].start == 100 && timings[1].scheduling_delay() == 0, "the second waits until it is due");
    check(timings[2].start == 150 && timings[2].scheduling_delay() == 40 && timings[2].response() == 90,
          "the third is 40 late");
    check(timings[3].start == 400 && timings[3].response() == 50, "by the fourth the queue is gone");
});

/// Broken: a timestamp before each command and one after it.
template <typename Clock, typename Execute, typename Record>
void run_with_two_reads(Clock& clock, std::uint64_t begin, const std::uint64_t* planned, std::uint64_t n,
                        Execute execute, Record record) {
    for (std::uint64_t at = 0; at < n; ++at) {
        const std::uint64_t start = clock.wait_until(begin + planned[at]);
        execute(at);
        record(at, Timing{begin + planned[at], start, clock.now()});
    }
}

/// A thousand commands of 300 ns, all due at once, with a clock whose reads take 20 ns: each takes 320 ns if the loop
/// reads the clock once per command, so that command n responds after n * 320 ns, and the services fill the time.
template <typename Loop>
bool reads_once_when_behind(Loop loop) {
    constexpr std::uint64_t read_ns = 20;
    constexpr std::uint64_t commands = 1'000;
    const std::vector<std::uint64_t> planned(commands);
    ToldClock clock{.time = 5'000, .read_ns = read_ns};
    bool closed = true;
    std::uint64_t services = 0;
    loop(
        clock, 5'000, planned.data(), commands, [&](std::uint64_t) { clock.time += service_ns; },
        [&](std::uint64_t at, const Timing& timing) {
            services += timing.service();
            closed = closed && timing.response() == (at + 1) * (service_ns + read_ns) &&
                     timing.scheduling_delay() == at * (service_ns + read_ns) &&
                     timing.service() == service_ns + read_ns;
        });
    return closed && clock.reads == commands && services == clock.time - 5'000;
}

const Register one_read(
    "open loop: behind, the end of a command is the start of the next, at one read of the clock", [] {
        check(reads_once_when_behind([](auto&&... given) { run_open(given...); }), "one read per command");
        check(!reads_once_when_behind([](auto&&... given) { run_with_two_reads(given...); }), "a second read is seen");
    });

const Register kept("open loop: latencies recorded after the pass are those of its timestamps", [] {
    const std::uint64_t planned[] = {0, 100, 110};
    Timestamps timestamps(3);
    timestamps.keep(0, {.due = 1'000, .start = 1'000, .end = 1'050}, Operation::add);
    timestamps.keep(1, {.due = 1'100, .start = 1'107, .end = 1'177}, Operation::reject);
    timestamps.keep(2, {.due = 1'110, .start = 1'177, .end = 1'187}, Operation::add);
    Latencies latencies({Measure::response, Measure::service, Measure::scheduling_delay});
    timestamps.record(1'000, planned, 3, ns_of_ticks(1e9), latencies);
    const auto add = static_cast<std::size_t>(Operation::add);
    const auto reject = static_cast<std::size_t>(Operation::reject);
    check(latencies.of(Measure::response)[add].max() == 77 && latencies.of(Measure::response)[add].total() == 2,
          "responses of 50 and 77");
    check(latencies.of(Measure::service)[reject].max() == 70, "a service of 70");
    check(latencies.of(Measure::scheduling_delay)[add].max() == 67 &&
              latencies.of(Measure::scheduling_delay)[reject].max() == 7,
          "delays of 67 and 7");
    check(latencies.gap_max_ticks == 70, "the longest time between two timestamps");
});

const Register polled("open loop: the longest time between two reads while waiting is known", [] {
    CounterClock clock;
    const std::uint64_t before = clock.now();
    const std::uint64_t due = before + 100'000;
    const std::uint64_t woke = clock.wait_until(due);
    check(woke >= due, "not before it is due");
    check(clock.gap_max_ticks() > 0 && clock.gap_max_ticks() <= woke - before, "within the wait");
    const std::uint64_t stopped_at = clock.now();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // as if stopped while waiting
    const std::uint64_t stopped = clock.wait_until(stopped_at) - stopped_at;
    check(clock.gap_max_ticks() >= stopped, "a stop while waiting is a gap");
});

}  // namespace

}  // namespace open_loop_tests
