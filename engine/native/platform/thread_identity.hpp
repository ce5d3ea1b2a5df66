// Threads of all processes of a host, as words in shared memory: to tell one that still runs from one that was killed,
// also after its id has gone to another.
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace lowlat {

/// A thread's id (below 2^22 on Linux) and, above it, its start in clock ticks since boot; 0 where that is unknown.
class ThreadIdentity {
  public:
    constexpr explicit ThreadIdentity(std::uint64_t word) : word_(word) {}

    static ThreadIdentity of_this_thread() {
        forget_after_fork();
        if (own_ == 0) {
            const auto thread = this_thread();
            own_ = (look_up(thread).start << id_bits) | static_cast<std::uint64_t>(thread);
        }
        return ThreadIdentity(own_);
    }

    std::uint64_t word() const { return word_; }
    std::uint64_t id() const { return word_ & ((std::uint64_t{1} << id_bits) - 1); }

    /// Whether this very thread runs. A killed process whose parent has not collected it (a zombie) does not.
    bool runs() const {
        const Status now = look_up(static_cast<pid_t>(id()));
        const std::uint64_t start = word_ >> id_bits;
        return now.runs && (start == 0 || now.start == 0 || start == now.start);
    }

    /// Ids mean the same in processes with the same number here; 0 where there is one set of ids only.
    static std::uint64_t id_namespace() {
        forget_after_fork();
        // Relaxed: each thread would find the same number.
        if (namespace_.load(std::memory_order_relaxed) == unknown) {
            struct stat facts{};
            const bool there = stat("/proc/self/ns/pid", &facts) == 0;
            namespace_.store(there ? static_cast<std::uint64_t>(facts.st_ino) : 0, std::memory_order_relaxed);
        }
        return namespace_.load(std::memory_order_relaxed);
    }

  private:
    struct Status {
        bool runs;
        std::uint64_t start;
    };

    static constexpr unsigned id_bits = 22;
    static constexpr std::uint64_t unknown = ~std::uint64_t{0};

    /// A forked child has another thread id, and may have another namespace.
    static void forget_after_fork() {
        [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] {
            own_ = 0;
            namespace_.store(unknown, std::memory_order_relaxed);
        });
    }

    static pid_t this_thread() {
#if defined(__linux__)
        return gettid();
#else
        return getpid();
#endif
    }

    static Status look_up(pid_t thread) {
        if (thread <= 0 || (kill(thread, 0) != 0 && errno == ESRCH)) return {false, 0};
        if (!proc_is_of_our_namespace()) return {true, 0};
        char text[512];
        const int file = open(("/proc/" + std::to_string(thread) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) return {true, 0};
        const ssize_t count = read(file, text, sizeof text);
        close(file);
        if (count <= 0) return {false, 0};  // it ended in between
        return parse(std::string(text, static_cast<std::size_t>(count)));
    }

    /// In a new process-id namespace /proc may still be that of the old one, and name other processes by our ids.
    static bool proc_is_of_our_namespace() {
        char self[32] = {};
        return readlink("/proc/self", self, sizeof self - 1) > 0 && std::strtoll(self, nullptr, 10) == getpid();
    }

    /// proc_pid_stat(5): the name, field 2, is in parentheses and may hold any; the state is field 3, the start 22.
    static Status parse(const std::string& text) {
        std::size_t at = text.rfind(')');
        if (at == std::string::npos || at + 2 >= text.size()) return {true, 0};
        const char state = text[at + 2];
        for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
        const std::uint64_t start = at == std::string::npos ? 0 : std::strtoull(text.c_str() + at, nullptr, 10);
        constexpr std::uint64_t fitting = (std::uint64_t{1} << (64 - id_bits)) - 1;
        return {state != 'Z' && state != 'X', start & fitting};
    }

    // Looked up once; again in a forked child.
    static inline thread_local std::uint64_t own_ = 0;
    static inline std::atomic<std::uint64_t> namespace_{unknown};
    std::uint64_t word_;
};

}  // namespace lowlat
