// A message's time runs from before its send to after its receive, so it must include a delay in either.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "probes/native/kernel_channels.hpp"
#include "probes/native/kernel_path.hpp"
#include "tests/native/checks.hpp"

namespace kernel_path_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::int64_t delay_ns = 20'000'000;
constexpr PathPlan ten{
    .samples = 10, .warm_up = 2, .pause_ns = 50'000, .limit_ns = 20'000'000'000, .sender_cpu = {}, .receiver_cpu = {}};

// For what never arrives: the whole time is waited for it.
constexpr PathPlan ten_soon{
    .samples = 10, .warm_up = 2, .pause_ns = 50'000, .limit_ns = 300'000'000, .sender_cpu = {}, .receiver_cpu = {}};

// UDP that is slow, and may lie: `restamps` is a sender that reads the clock after its slow send. It notes when each
// send begins and when its message is there, so that the time in between is known, however busy the machine is.
class SlowChannel {
  public:
    explicit SlowChannel(bool restamps) : restamps_(restamps) {}
    Fault open() noexcept { return udp_.open(); }
    Fault send(PathMessage message) noexcept {
        begun_.store(ticks_begin());
        std::this_thread::sleep_for(std::chrono::nanoseconds{delay_ns});
        if (restamps_) message.sent_ticks = ticks_begin();
        return udp_.send(message);
    }
    Fault receive(PathMessage& message) noexcept {
        const Fault fault = udp_.receive(message);
        if (!fault) least_ = std::min(least_, ticks_end() - begun_.load());
        return fault;
    }
    // The least time from the begin of a send to its receipt.
    std::uint64_t least() const { return least_; }

  private:
    UdpChannel udp_;
    bool restamps_;
    std::atomic<std::uint64_t> begun_ = 0;
    std::uint64_t least_ = ~std::uint64_t{0};
};

// How many of ten messages are given less than the least time that the channel itself saw.
std::ptrdiff_t too_short(bool restamps) {
    SlowChannel channel(restamps);
    check(!channel.open(), "this host has loopback UDP");
    const PathSamples found = measure_path(channel, ten);
    check(!found.fault && found.ticks.size() == ten.samples, "ten messages came through");
    return std::ranges::count_if(found.ticks, [&](std::uint64_t ticks) { return ticks < channel.least(); });
}

const Register whole("kernel path: a delay in the send is in the time", [] {
    check(too_short(false) == 0, "stamped before the send");
    check(too_short(true) > 0, "and a stamp taken after it is noticed");
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
    const PathSamples found = measure_path(channel, ten_soon);
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
    const PathSamples found = measure_path(channel, ten_soon);
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
    PathSamples found;
    // On a busy machine the receiver may not run before a limit that is short.
    for (few.limit_ns = 200'000'000; found.backward == 0 && few.limit_ns < ten.limit_ns; few.limit_ns *= 2)
        found = measure_path(channel, few);
    check(found.ticks.empty() && found.backward > 0, "each came before it was sent");
});

}  // namespace

}  // namespace kernel_path_tests
