// A message's time runs from before its send to after its receive, so it must include a delay in either.

#include <algorithm>

#include "probes/native/kernel_channels.hpp"
#include "probes/native/kernel_path.hpp"
#include "tests/native/checks.hpp"

using namespace lowlat;
using namespace lowlat::testing;

namespace {

// Longer than the best of ten messages takes on a busy machine.
constexpr std::int64_t delay_ns = 20'000'000;
constexpr PathPlan ten{
    .samples = 10, .warm_up = 2, .pause_ns = 50'000, .limit_ns = 20'000'000'000, .sender_cpu = {}, .receiver_cpu = {}};

// Ticks of the delay, less a tenth: the two clocks need not agree. From the least of many short loops, since a busy
// machine preempts nearly every long one.
std::uint64_t delay_ticks() {
    constexpr std::int64_t loops_per_delay = 100;
    std::uint64_t least = ~std::uint64_t{0};
    for (int n = 0; n < 50; ++n) {
        const std::int64_t begin_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
        const std::uint64_t begin = ticks();
        while (read_clock_ns(CLOCK_MONOTONIC_RAW) - begin_ns < delay_ns / loops_per_delay) {
        }
        least = std::min(least, ticks() - begin);
    }
    return least * loops_per_delay / 10 * 9;
}

// UDP that is slow, and may lie: `restamps` is a sender that reads the clock after its slow send.
class SlowChannel {
  public:
    explicit SlowChannel(bool restamps) : restamps_(restamps) {}
    Fault open() noexcept { return udp_.open(); }
    Fault send(PathMessage message) noexcept {
        std::this_thread::sleep_for(std::chrono::nanoseconds{delay_ns});
        if (restamps_) message.sent_ticks = ticks_begin();
        return udp_.send(message);
    }
    Fault receive(PathMessage& message) noexcept { return udp_.receive(message); }

  private:
    UdpChannel udp_;
    bool restamps_;
};

// The least, which other work on this host cannot lengthen by much: the best of ten.
std::uint64_t least_of(bool restamps) {
    SlowChannel channel(restamps);
    check(!channel.open(), "this host has loopback UDP");
    const PathSamples found = measure_path(channel, ten);
    check(!found.fault && found.ticks.size() == ten.samples, "ten messages came through");
    return *std::min_element(found.ticks.begin(), found.ticks.end());
}

const Register whole("kernel path: a delay in the send is in the time", [] {
    const std::uint64_t delay = delay_ticks();
    check(least_of(false) >= delay, "stamped before the send");
    check(least_of(true) < delay, "and a stamp taken after it is noticed");
});

// A channel that loses all messages.
class Hole {
  public:
    Fault send(const PathMessage&) noexcept { return {}; }
    Fault receive(PathMessage&) noexcept {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        return {EAGAIN, "recv"};
    }
};

const Register hole("kernel path: messages that are lost end it, without a sample", [] {
    Hole channel;
    const PathSamples found = measure_path(channel, ten);
    check(!found.fault && found.ticks.empty(), "nothing came through");
});

// Every message comes from another process.
class Stranger {
  public:
    Fault open() noexcept { return udp_.open(); }
    Fault send(PathMessage message) noexcept {
        ++message.key;
        return udp_.send(message);
    }
    Fault receive(PathMessage& message) noexcept { return udp_.receive(message); }

  private:
    UdpChannel udp_;
};

const Register stranger("kernel path: what has another key is no sample", [] {
    Stranger channel;
    check(!channel.open(), "this host has loopback UDP");
    const PathSamples found = measure_path(channel, ten);
    check(!found.fault && found.ticks.empty() && found.backward == 0, "only our own messages count");
});

// Timestamps from a counter that is ahead of the receiver's.
class Ahead {
  public:
    Fault open() noexcept { return udp_.open(); }
    Fault send(PathMessage message) noexcept {
        message.sent_ticks += std::uint64_t{1} << 40;
        return udp_.send(message);
    }
    Fault receive(PathMessage& message) noexcept { return udp_.receive(message); }

  private:
    UdpChannel udp_;
};

const Register ahead("kernel path: counters that disagree are counted, not averaged", [] {
    Ahead channel;
    check(!channel.open(), "this host has loopback UDP");
    PathPlan few = ten;
    few.limit_ns = 200'000'000;
    const PathSamples found = measure_path(channel, few);
    check(found.ticks.empty() && found.backward > 0, "each came before it was sent");
});

}  // namespace
