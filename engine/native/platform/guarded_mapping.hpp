// Mapped files that another process may truncate. An access behind the new end raises SIGBUS, which would kill this
// process. Here the handler puts pages of zeros in place of the lost ones and notes it; the access then continues, and
// whoever made it asks lost() before believing what was read. No cost until then. As wl_shm of Wayland does it.
//
// The handler acts only within registered mappings, for faults that the kernel reports; all else goes to the handler
// that was installed before.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

// GCC warns that its thread sanitizer does not model fences. The one below orders reads of mapped memory, which no
// thread of this process writes.
#if defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif

namespace lowlat {

/// A mapped file lost its content. Becomes the Python error InputError.
class MappedFileError : public std::runtime_error {
  public:
    explicit MappedFileError(const std::string& name)
        : std::runtime_error(name +
                             " lost its content while it was in use: it was truncated, or its disk is full or failed; "
                             "do not use what was read from it since; create it again") {}
};

/// One registered mapping. The handler reads it at any time, also while it is reused for another mapping: so under a
/// sequence, odd while it changes. All accesses are sequentially consistent; none is on a hot path.
struct GuardedRange {
    std::atomic<std::uint64_t> sequence{0};
    std::atomic<std::uintptr_t> start{0};
    std::atomic<std::uintptr_t> end{0};
    std::atomic<int> protection{PROT_NONE};
    std::atomic<bool> lost{false};
    std::atomic<bool> used{true};
    GuardedRange* next = nullptr;  // constant once in the list

    struct Extent {
        std::uintptr_t start;
        std::uintptr_t end;
        int protection;
    };

    void set(const Extent& now) {
        sequence.fetch_add(1);
        start = now.start;
        end = now.end;
        protection = now.protection;
        lost = false;
        sequence.fetch_add(1);
    }

    /// Replaces the page of `address` and all behind it, if they are of this mapping. Async-signal-safe: on Linux and
    /// macOS mmap() is a bare system call.
    bool replace(std::byte* address) {
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        const std::uint64_t before = sequence;
        const Extent now{start, end, protection};
        if (before % 2 != 0 || sequence != before || at < now.start || at >= now.end) return false;
        lost = true;  // before the zeros, so that whoever reads these finds it
        const std::uintptr_t into_page = at % page_bytes;
        return mmap(address - into_page, now.end - at + into_page, now.protection,
                    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    }

    static inline std::uintptr_t page_bytes = 4096;  // set before the handler is installed
};

/// All registered mappings, and the signal handler, installed with the first. Entries are reused and never freed.
class GuardedRanges {
  public:
    static GuardedRange& take() {
        [[maybe_unused]] static const bool installed = install();
        for (GuardedRange* range = first_; range != nullptr; range = range->next) {
            if (!range->used.exchange(true)) return *range;
        }
        auto* added = new GuardedRange;
        added->next = first_;
        while (!first_.compare_exchange_weak(added->next, added)) {
        }
        return *added;
    }

    /// Whether an entry other than `range` has seen the memory at `address` lost.
    static bool lost_elsewhere(const GuardedRange& range, std::uintptr_t address) {
        for (const GuardedRange* other = first_; other != nullptr; other = other->next) {
            if (other != &range && other->lost && other->start <= address && address < other->end) return true;
        }
        return false;
    }

    static void give_back(GuardedRange& range) {
        range.set({0, 0, PROT_NONE});
        range.used = false;
    }

  private:
    static bool install() {
        GuardedRange::page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
        struct sigaction ours{};
        ours.sa_sigaction = &on_bus_error;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&ours.sa_mask);
        return sigaction(SIGBUS, &ours, &previous_) == 0;
    }

    static void on_bus_error(int number, siginfo_t* info, void* context) {
        const int error = errno;
        const bool ours = is_fault(*info) && replace(static_cast<std::byte*>(info->si_addr));
        errno = error;
        if (!ours) pass_on(number, info, context);
    }

    /// Neither sent by a process nor broken memory.
    static bool is_fault(const siginfo_t& info) {
#if defined(BUS_MCEERR_AR)
        if (info.si_code == BUS_MCEERR_AR || info.si_code == BUS_MCEERR_AO) return false;
#endif
        return info.si_code > 0;
    }

    /// In every entry that has the address: a mapping may be registered more than once.
    static bool replace(std::byte* address) {
        bool replaced = false;
        for (GuardedRange* range = first_; range != nullptr; range = range->next) replaced |= range->replace(address);
        return replaced;
    }

    static void pass_on(int number, siginfo_t* info, void* context) {
        if ((previous_.sa_flags & SA_SIGINFO) != 0) {
            previous_.sa_sigaction(number, info, context);
        } else if (previous_.sa_handler != SIG_DFL && previous_.sa_handler != SIG_IGN) {
            previous_.sa_handler(number);
        } else if (previous_.sa_handler == SIG_DFL || info->si_code > 0) {  // a fault cannot be ignored
            signal(number, SIG_DFL);
            raise(number);  // delivered when this handler returns, with the core dump and the status of a bus error
        }
    }

    static inline std::atomic<GuardedRange*> first_{nullptr};
    static inline struct sigaction previous_{};
};

/// Registers a mapping for its own lifetime, which must end before the mapping does.
class GuardedMapping {
  public:
    GuardedMapping(const void* start, std::size_t bytes, bool writable) : range_(GuardedRanges::take()) {
        const auto first = reinterpret_cast<std::uintptr_t>(start);
        range_.set({first, first + bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ});
        // Lost before this registration: the zeros that took the file's place raise no signal any more.
        if (GuardedRanges::lost_elsewhere(range_, first)) range_.lost = true;
    }
    GuardedMapping(const GuardedMapping&) = delete;
    GuardedMapping& operator=(const GuardedMapping&) = delete;
    ~GuardedMapping() { GuardedRanges::give_back(range_); }

    /// Whether any page was lost. Ask after reading: then zeros in place of data are noticed.
    bool lost() const {
        // Keeps the reads before it from sinking below: what they read is covered by the answer.
        std::atomic_thread_fence(std::memory_order_acquire);
        return range_.lost.load(std::memory_order_relaxed);
    }

    /// Throws MappedFileError if so.
    void check(const std::string& name) const {
        if (lost()) throw MappedFileError(name);
    }

  private:
    GuardedRange& range_;
};

}  // namespace lowlat
