// What the kernel counts on one CPU and for one thread: every row of /proc/interrupts and /proc/softirqs, stolen time,
// context switches and page faults. Read after a gap, the counters that moved tell what took the CPU.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "probes/native/thread_usage.hpp"

namespace lowlat {

/// What a counter counts.
enum class CounterKind : std::uint8_t { interrupt, softirq, thread, steal };

struct KernelCounter {
    CounterKind kind;
    std::string label;        // "LOC", "36", "NET_RX", "involuntary switches"
    std::string description;  // the rest of an interrupt's row: controller, trigger, devices
    std::uint64_t value = 0;
};

/// A file of /proc that is read again and again without allocating.
class ProcFile {
  public:
    explicit ProcFile(const char* path) : file_(open(path, O_RDONLY | O_CLOEXEC)), error_(file_ < 0 ? errno : 0) {}
    ProcFile(const ProcFile&) = delete;
    ProcFile& operator=(const ProcFile&) = delete;
    ~ProcFile() {
        if (file_ >= 0) close(file_);
    }

    int error() const { return error_; }

    /// The whole text, valid until the next read; empty if it cannot be read.
    std::string_view read() {
        if (file_ < 0) return {};
        std::size_t size = 0;
        for (;;) {
            if (size == text_.size()) {
                if (size == bytes_max) break;
                text_.resize(size + block);
            }
            const ssize_t got = pread(file_, text_.data() + size, text_.size() - size, static_cast<off_t>(size));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) error_ = errno;
            if (got <= 0) break;
            size += static_cast<std::size_t>(got);
        }
        return {text_.data(), error_ == 0 ? size : 0};
    }

  private:
    static constexpr std::size_t block = 65'536;
    static constexpr std::size_t bytes_max = 1'024 * block;

    int file_;
    int error_;
    std::vector<char> text_;
};

namespace detail {

inline std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

/// The next word of a line; empty at its end.
inline std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

inline bool parse_count(std::string_view word, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc{} && end == word.data() + word.size();
}

inline std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const std::size_t last = text.find_last_not_of(" \t");
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace detail

/// One CPU's column of a table such as /proc/interrupts: a header with the names of CPUs, then rows `label: counts`.
class CpuColumn {
  public:
    CpuColumn(const char* path, CounterKind kind, unsigned cpu)
        : file_(path), kind_(kind), name_("CPU" + std::to_string(cpu)) {}

    int error() const { return file_.error(); }

    /// Set the values of `counters`, which has this table's rows from an earlier call; new rows are appended.
    void read(std::vector<KernelCounter>& counters) {
        std::string_view text = file_.read();
        std::string_view header = detail::take_line(text);
        std::size_t columns = 0;
        std::size_t column = SIZE_MAX;
        for (std::string_view word; !(word = detail::take_word(header)).empty(); ++columns)
            if (word == name_) column = columns;
        if (column == SIZE_MAX) return;  // an offline CPU has no column
        std::size_t row = 0;
        while (!text.empty()) read_row(detail::take_line(text), columns, column, row, counters);
    }

  private:
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void read_row(std::string_view line, std::size_t columns, std::size_t column, std::size_t& row,
                  std::vector<KernelCounter>& counters) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return;
        const std::string_view label = detail::trimmed(line.substr(0, colon));
        line.remove_prefix(colon + 1);
        std::uint64_t value = 0;
        for (std::size_t at = 0; at < columns; ++at) {
            std::uint64_t count = 0;
            if (!detail::parse_count(detail::take_word(line), count)) return;  // ERR and MIS: one for the whole machine
            if (at == column) value = count;
        }
        KernelCounter& counter = counters[find(label, row, counters)];
        if (counter.description.empty()) counter.description = detail::trimmed(line);
        counter.value = value;
        ++row;
    }

    /// Where a row's counter is: where it was at the last read, unless rows came or went since.
    std::size_t find(std::string_view label, std::size_t row, std::vector<KernelCounter>& counters) {
        if (row < places_.size() && counters[places_[row]].label == label) return places_[row];
        const auto known = std::ranges::find_if(
            counters, [&](const KernelCounter& each) { return each.kind == kind_ && each.label == label; });
        const auto place = static_cast<std::size_t>(known - counters.begin());
        if (known == counters.end())
            counters.push_back({.kind = kind_, .label = std::string(label), .description = {}});
        places_.resize(std::max(places_.size(), row + 1));
        places_[row] = place;
        return place;
    }

    ProcFile file_;
    CounterKind kind_;
    std::string name_;
    std::vector<std::size_t> places_;
};

/// All counters of a CPU and of the calling thread, which must be the one that reads them.
class KernelCounters {
  public:
    explicit KernelCounters(unsigned cpu)
        : interrupts_("/proc/interrupts", CounterKind::interrupt, cpu),
          softirqs_("/proc/softirqs", CounterKind::softirq, cpu),
          stat_("/proc/stat"),
          line_("cpu" + std::to_string(cpu)) {
        for (const char* name : {"voluntary switches", "involuntary switches", "minor faults", "major faults"})
            counters_.push_back({.kind = CounterKind::thread, .label = name, .description = {}});
        counters_.push_back({.kind = CounterKind::steal, .label = "steal", .description = {}});
    }

    /// The counters now. A counter keeps its place; new ones may be appended.
    const std::vector<KernelCounter>& read() {
        const ThreadUsage usage = read_thread_usage();  // first: reading files may itself block
        counters_[0].value = usage.voluntary_switches;
        counters_[1].value = usage.involuntary_switches;
        counters_[2].value = usage.minor_faults;
        counters_[3].value = usage.major_faults;
        interrupts_.read(counters_);
        softirqs_.read(counters_);
        counters_[4].value = std::max(counters_[4].value, read_steal());
        return counters_;
    }

    int interrupts_error() const { return interrupts_.error(); }
    int softirqs_error() const { return softirqs_.error(); }
    int steal_error() const { return stat_.error(); }

  private:
    static constexpr int steal_field = 8;  // of a /proc/stat line, the CPU's name being field 0

    /// Stolen time in clock ticks (sysconf(_SC_CLK_TCK) a second).
    std::uint64_t read_steal() {
        std::string_view text = stat_.read();
        while (!text.empty()) {
            std::string_view line = detail::take_line(text);
            if (detail::take_word(line) != line_) continue;
            std::uint64_t value = 0;
            for (int field = 0; field < steal_field; ++field)
                if (!detail::parse_count(detail::take_word(line), value)) return 0;
            return value;
        }
        return 0;
    }

    CpuColumn interrupts_;
    CpuColumn softirqs_;
    ProcFile stat_;
    std::string line_;
    std::vector<KernelCounter> counters_;
};

}  // namespace lowlat
