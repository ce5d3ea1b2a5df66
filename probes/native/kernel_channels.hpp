// Channels through the kernel of one host: a futex, loopback UDP, loopback TCP.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "probes/native/kernel_path.hpp"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

namespace lowlat {

inline constexpr std::int64_t receive_limit_ns = 100'000'000;

#if defined(__linux__)
// The message is in shared memory; the kernel only wakes the waiting thread.
class WakeChannel {
  public:
    Fault open() noexcept { return {}; }
    Fault send(const PathMessage& message) noexcept {
        key_.store(message.key, std::memory_order_relaxed);
        sent_ticks_.store(message.sent_ticks, std::memory_order_relaxed);
        word_.store(static_cast<std::uint32_t>(message.sequence), std::memory_order_release);
        const long woken = syscall(SYS_futex, address(), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
        return {woken < 0 ? errno : 0, "futex(FUTEX_WAKE)"};
    }
    Fault receive(PathMessage& message) noexcept {
        // Sleeps only while the word is still `seen_`, so it does not miss an earlier message.
        const timespec limit{.tv_sec = 0, .tv_nsec = receive_limit_ns};
        const long result = syscall(SYS_futex, address(), FUTEX_WAIT_PRIVATE, seen_, &limit, nullptr, 0);
        const int error = result < 0 ? errno : 0;
        // A message that arrives after the timeout, but before this thread runs again, did not wake it: the next call,
        // which does not sleep, takes it.
        if (error == ETIMEDOUT) return {EAGAIN, "futex(FUTEX_WAIT)"};
        if (error != 0 && error != EAGAIN && error != EINTR) return {error, "futex(FUTEX_WAIT)"};
        const std::uint32_t now = word_.load(std::memory_order_acquire);
        if (now == seen_) return {EAGAIN, "futex(FUTEX_WAIT)"};
        seen_ = now;
        message.key = key_.load(std::memory_order_relaxed);
        message.sequence = now;
        message.sent_ticks = sent_ticks_.load(std::memory_order_relaxed);
        return {};
    }

  private:
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel compares the word itself");
    std::atomic<std::uint32_t>* address() noexcept { return &word_; }

    alignas(128) std::atomic<std::uint32_t> word_{0};  // sequence of the latest message
    std::atomic<std::uint64_t> key_{0};
    std::atomic<std::uint64_t> sent_ticks_{0};
    alignas(128) std::uint32_t seen_ = 0;  // the receiver's
};
#else
class WakeChannel {
  public:
    Fault open() noexcept { return {ENOSYS, "futex"}; }
    Fault send(const PathMessage&) noexcept { return {ENOSYS, "futex"}; }
    Fault receive(PathMessage&) noexcept { return {ENOSYS, "futex"}; }
};
#endif

namespace detail {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    [[nodiscard]] int operator*() const noexcept { return number_; }

  private:
    int number_ = -1;
};

#if defined(SOCK_CLOEXEC)
inline constexpr int close_on_exec = SOCK_CLOEXEC;
#else
inline constexpr int close_on_exec = 0;
#endif

#if defined(MSG_NOSIGNAL)
inline constexpr int no_signal = MSG_NOSIGNAL;
#else
inline constexpr int no_signal = 0;
#endif

// A socket address of 127.0.0.1.
struct LoopbackAddress {
    sockaddr_in in{};

    LoopbackAddress() noexcept {
        in.sin_family = AF_INET;
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&in); }
    static constexpr socklen_t bytes = sizeof(sockaddr_in);
};

inline Fault name_of(const Descriptor& socket, LoopbackAddress& address) noexcept {
    socklen_t bytes = LoopbackAddress::bytes;
    return {getsockname(*socket, address.get(), &bytes) < 0 ? errno : 0, "getsockname"};
}

inline Fault open_socket(Descriptor& made, int type) noexcept {
    made = Descriptor(::socket(AF_INET, type | close_on_exec, 0));
    if (*made < 0) return {errno, "socket"};
    const timeval limit{.tv_sec = 0, .tv_usec = receive_limit_ns / 1000};
    const int set = setsockopt(*made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) |
                    setsockopt(*made, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return {set < 0 ? errno : 0, "setsockopt"};
}

inline Fault bind_to_free_port(const Descriptor& socket, LoopbackAddress& bound) noexcept {
    if (bind(*socket, bound.get(), LoopbackAddress::bytes) < 0) return {errno, "bind to 127.0.0.1"};
    return name_of(socket, bound);
}

inline Fault connect_to(const Descriptor& socket, LoopbackAddress address) noexcept {
    return {connect(*socket, address.get(), LoopbackAddress::bytes) < 0 ? errno : 0, "connect to 127.0.0.1"};
}

inline Fault send_whole(const Descriptor& socket, const PathMessage& message) noexcept {
    const ssize_t sent = ::send(*socket, &message, sizeof message, no_signal);
    if (sent == static_cast<ssize_t>(sizeof message)) return {};
    return {sent < 0 ? errno : EMSGSIZE, "send"};
}

inline Fault receive_whole(const Descriptor& socket, PathMessage& message, int flags) noexcept {
    const ssize_t got = ::recv(*socket, &message, sizeof message, flags);
    if (got == static_cast<ssize_t>(sizeof message)) return {};
    if (got == 0) return {ECONNRESET, "recv"};
    return {got < 0 ? errno : EAGAIN, "recv"};
}

}  // namespace detail

// Both ends are bound and connected to each other: the kernel drops datagrams from anyone else.
class UdpChannel {
  public:
    Fault open() noexcept {
        detail::LoopbackAddress from, to;
        Fault fault = detail::open_socket(sender_, SOCK_DGRAM);
        if (!fault) fault = detail::open_socket(receiver_, SOCK_DGRAM);
        if (!fault) fault = detail::bind_to_free_port(sender_, from);
        if (!fault) fault = detail::bind_to_free_port(receiver_, to);
        if (!fault) fault = detail::connect_to(sender_, to);
        if (!fault) fault = detail::connect_to(receiver_, from);
        return fault;
    }
    Fault send(const PathMessage& message) noexcept { return detail::send_whole(sender_, message); }
    Fault receive(PathMessage& message) noexcept { return detail::receive_whole(receiver_, message, 0); }

  private:
    detail::Descriptor sender_, receiver_;
};

// Without Nagle's algorithm, as in trading connections.
class TcpChannel {
  public:
    Fault open() noexcept {
        detail::Descriptor listener;
        detail::LoopbackAddress to, from;
        Fault fault = detail::open_socket(listener, SOCK_STREAM);
        if (!fault) fault = detail::bind_to_free_port(listener, to);
        if (!fault && listen(*listener, 1) < 0) fault = {errno, "listen"};
        if (!fault) fault = detail::open_socket(sender_, SOCK_STREAM);
        if (!fault) fault = detail::connect_to(sender_, to);
        if (!fault) fault = detail::name_of(sender_, from);
        while (!fault && *receiver_ < 0) fault = accept_from(listener, from);
        const int on = 1;
        if (!fault && setsockopt(*sender_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
            fault = {errno, "TCP_NODELAY"};
        return fault;
    }
    Fault send(const PathMessage& message) noexcept { return detail::send_whole(sender_, message); }
    Fault receive(PathMessage& message) noexcept { return detail::receive_whole(receiver_, message, MSG_WAITALL); }

  private:
    // Any process may connect to a listener: close connections from others and accept the next one.
    Fault accept_from(const detail::Descriptor& listener, const detail::LoopbackAddress& expected) noexcept {
        pollfd waits{.fd = *listener, .events = POLLIN, .revents = 0};
        const int ready = poll(&waits, 1, static_cast<int>(receive_limit_ns / 1'000'000));
        if (ready <= 0) return {ready < 0 ? errno : ETIMEDOUT, "accept"};
        detail::LoopbackAddress peer;
        socklen_t bytes = detail::LoopbackAddress::bytes;
        detail::Descriptor accepted(accept(*listener, peer.get(), &bytes));
        if (*accepted < 0) return {errno, "accept"};
        if (peer.in.sin_port != expected.in.sin_port) return {};
        receiver_ = std::move(accepted);
        const timeval limit{.tv_sec = 0, .tv_usec = receive_limit_ns / 1000};
        return {setsockopt(*receiver_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ? errno : 0, "setsockopt"};
    }

    detail::Descriptor sender_, receiver_;
};

}  // namespace lowlat
