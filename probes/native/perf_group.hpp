// A group of the processor's counters (perf events), of the thread that opens it. Its counters run together or not at
// all, so that their ratios are those of the same instructions.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#if defined(__linux__)
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lowlat {

/// What a group has counted since it was opened.
struct PerfReading {
    static constexpr std::size_t counters_max = 8;

    std::uint64_t enabled_ns = 0;
    std::uint64_t running_ns = 0;  // less than enabled: the counters were others' for a part of the time
    std::array<std::uint64_t, counters_max> counts{};
    int error = 0;  // errno; counts are zeros then
};

class PerfGroup {
  public:
    /// As perf_event_attr names an event.
    struct Event {
        std::uint32_t type;
        std::uint64_t config;
    };

    /// Opens up to counters_max events, in user mode only, and counts at once. An event that the kernel refuses is left
    /// out; the others still count.
    explicit PerfGroup(std::span<const Event> events) {
        for (const Event& event : events.first(std::min(events.size(), PerfReading::counters_max))) {
            const int file = open(event, opened_.empty() ? -1 : opened_.front());
            errors_.push_back(file < 0 ? errno : 0);
            if (file >= 0) opened_.push_back(file);
        }
    }
    PerfGroup(const PerfGroup&) = delete;
    PerfGroup& operator=(const PerfGroup&) = delete;
    ~PerfGroup() {
#if defined(__linux__)
        for (auto file = opened_.rbegin(); file != opened_.rend(); ++file) ::close(*file);
#endif
    }

    /// For each event, the errno of opening it, or 0. Only those with 0 are counted, in their order.
    const std::vector<int>& errors() const { return errors_; }
    std::size_t counters() const { return opened_.size(); }

    /// One system call; allocates nothing.
    PerfReading read() const noexcept {
        PerfReading reading;
#if defined(__linux__)
        // PERF_FORMAT_GROUP with both times: number of counters, times, counts.
        std::array<std::uint64_t, 3 + PerfReading::counters_max> words{};
        const std::size_t bytes = (3 + opened_.size()) * sizeof(std::uint64_t);
        const ssize_t got = opened_.empty() ? -1 : ::read(opened_.front(), words.data(), bytes);
        if (got != static_cast<ssize_t>(bytes) || words[0] != opened_.size()) {
            reading.error = got < 0 && !opened_.empty() ? errno : ENODATA;
            return reading;
        }
        reading.enabled_ns = words[1];
        reading.running_ns = words[2];
        for (std::size_t at = 0; at < opened_.size(); ++at) reading.counts[at] = words[3 + at];
#else
        reading.error = ENOSYS;
#endif
        return reading;
    }

  private:
    static int open(const Event& event, int leader) {
#if defined(__linux__)
        perf_event_attr attributes{};
        attributes.size = sizeof attributes;
        attributes.type = event.type;
        attributes.config = event.config;
        attributes.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
        attributes.exclude_kernel = 1;  // allowed to everyone up to perf_event_paranoid 2
        attributes.exclude_hv = 1;
        return static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC));
#else
        static_cast<void>(event);
        static_cast<void>(leader);
        errno = ENOSYS;
        return -1;
#endif
    }

    std::vector<int> opened_;
    std::vector<int> errors_;
};

/// What was counted between two readings of the same group.
inline PerfReading operator-(const PerfReading& after, const PerfReading& before) {
    PerfReading between;
    between.error = before.error != 0 ? before.error : after.error;
    if (between.error != 0) return between;
    between.enabled_ns = after.enabled_ns - before.enabled_ns;
    between.running_ns = after.running_ns - before.running_ns;
    for (std::size_t at = 0; at < between.counts.size(); ++at)
        between.counts[at] = after.counts[at] - before.counts[at];
    return between;
}

}  // namespace lowlat
