// The columns of /proc/interrupts as kernels write them: rows that count for the whole machine, CPUs that are offline,
// rows that come and go. A counter keeps its place, so that differences are those of one row.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "probes/native/kernel_counters.hpp"
#include "tests/native/checks.hpp"

namespace kernel_counters_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// A file that is written anew under the same inode, as a file of /proc is.
class Table {
  public:
    explicit Table(std::string_view text)
        : path_(std::filesystem::temp_directory_path() / ("lowlat-counters-" + std::to_string(getpid()))) {
        write(text);
    }
    ~Table() { std::filesystem::remove(path_); }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    void write(std::string_view text) { std::ofstream(path_, std::ios::trunc) << text; }
    const char* path() const { return path_.c_str(); }

  private:
    std::filesystem::path path_;
};

constexpr std::string_view interrupts =
    "           CPU0       CPU2       \n"
    " 36:          5         70  PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
    "LOC:         10        200   Local timer interrupts\n"
    "ERR:          0\n"
    "TLB:          1          2   TLB shootdowns\n";

std::uint64_t value_of(const std::vector<KernelCounter>& counters, std::string_view label) {
    for (const KernelCounter& each : counters)
        if (each.label == label) return each.value;
    return UINT64_MAX;
}

const Register columns("kernel counters: the column of a CPU, though others are offline", [] {
    const Table table(interrupts);
    CpuColumn column(table.path(), CounterKind::interrupt, 2);
    std::vector<KernelCounter> counters;
    column.read(counters);
    check(counters.size() == 3, "ERR, which counts for the whole machine, is left out");
    check(value_of(counters, "36") == 70 && value_of(counters, "LOC") == 200 && value_of(counters, "TLB") == 2,
          "the second column is CPU 2's");
    check(counters[0].description == "PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0", "the rest of the row");
});

const Register offline("kernel counters: a CPU without a column has no counters", [] {
    const Table table(interrupts);
    CpuColumn column(table.path(), CounterKind::interrupt, 1);
    std::vector<KernelCounter> counters;
    column.read(counters);
    check(counters.empty(), "CPU1 is not CPU0 or CPU2");
});

const Register rows("kernel counters: a counter keeps its place when rows come and go", [] {
    Table table(interrupts);
    CpuColumn column(table.path(), CounterKind::interrupt, 0);
    std::vector<KernelCounter> counters;
    column.read(counters);
    table.write(
        "           CPU0       CPU2       \n"
        " 35:          9          0  PCI-MSIX   0-edge      new\n"
        "LOC:         11        200   Local timer interrupts\n"
        "TLB:          1          2   TLB shootdowns\n");
    column.read(counters);
    check(counters[0].label == "36" && counters[0].value == 5, "a row that is gone keeps its value");
    check(counters[1].label == "LOC" && counters[1].value == 11, "one that moved up keeps its place");
    check(counters[3].label == "35" && counters[3].value == 9, "a new one is appended");
});

const Register hostile("kernel counters: text that is no table", [] {
    std::vector<KernelCounter> counters;
    for (const std::string_view text : {"", "\n", "CPU0", "CPU0\nLOC", "CPU0\nLOC:", "CPU0\nLOC: x\n",
                                        "CPU0\nLOC: 99999999999999999999999\n", ":\n::\n", "CPU0 CPU0\n A: 1\n"}) {
        const Table table(text);
        CpuColumn(table.path(), CounterKind::interrupt, 0).read(counters);
    }
    check(counters.empty(), "no row is complete");
    CpuColumn missing("/nonexistent/interrupts", CounterKind::interrupt, 0);
    missing.read(counters);
    check(counters.empty() && missing.error() == ENOENT, "a file that cannot be read is told by its errno");
});

}  // namespace

}  // namespace kernel_counters_tests
