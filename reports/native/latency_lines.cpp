#include "reports/native/latency_lines.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include <tuple>

#include "reports/native/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

std::tuple<std::size_t, std::size_t, std::size_t> record_text(Histogram& histogram, const nb::bytes& text,
                                                              std::size_t start, int power, std::size_t skip) {
    if (power != 0 && power != 3 && power != 6 && power != 9) throw nb::value_error("power is 0, 3, 6 or 9");
    const LinesRead read =
        record_lines(histogram, {text.c_str(), text.size()}, start, static_cast<NanosecondsPower>(power), skip);
    return {read.end, read.lines, read.skipped};
}

}  // namespace

void register_latency_lines(nb::module_& m) {
    m.def(
        "record_lines", &record_text, nb::arg("histogram"), nb::arg("text"), nb::arg("start"), nb::arg("power"),
        nb::arg("skip"),
        "Record the number of each line from offset `start`, times 10**power nanoseconds, but the first `skip`. Stops "
        "at a line without a latency. Returns its offset, lines read and latencies skipped.");
}

}  // namespace lowlat
