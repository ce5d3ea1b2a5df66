// How long the calling thread has been ready to run while other programs had its CPU.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace lowlat {

// The second figure of /proc/thread-self/schedstat, which the scheduler adds to whenever it gives the thread a CPU.
// Time in which the thread was blocked, handled an interrupt or was itself slow is not part of it. Open it on the
// thread that is measured: the file stays that thread's.
class RunqueueWait {
  public:
    RunqueueWait() : file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
    RunqueueWait(const RunqueueWait&) = delete;
    RunqueueWait& operator=(const RunqueueWait&) = delete;
    ~RunqueueWait() {
        if (file_ >= 0) ::close(file_);
    }

    // Nanoseconds so far, or nothing where the kernel does not count them. One system call of about a microsecond;
    // allocates nothing.
    std::optional<std::uint64_t> ns() const noexcept {
        char text[64];
        const ::ssize_t size = file_ < 0 ? -1 : ::pread(file_, text, sizeof(text), 0);
        return size <= 0 ? std::nullopt : second_figure(text, text + size);
    }

    // Of the file's three figures. Without CONFIG_SCHED_INFO all of them are 0, though the thread has run.
    static std::optional<std::uint64_t> second_figure(const char* text, const char* end) noexcept {
        std::uint64_t on_cpu_ns = 0;
        std::uint64_t waited_ns = 0;
        const auto [first, wrong] = std::from_chars(text, end, on_cpu_ns);
        if (wrong != std::errc{} || first == end || *first != ' ' || on_cpu_ns == 0) return std::nullopt;
        if (std::from_chars(first + 1, end, waited_ns).ec != std::errc{}) return std::nullopt;
        return waited_ns;
    }

  private:
    int file_;
};

}  // namespace lowlat
