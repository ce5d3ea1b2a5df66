#include "reports/native/histogram.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include "reports/native/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

template <class Value>
using Column = nb::ndarray<const Value, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Below this many values, the loop takes less time than creating and adding a second histogram.
constexpr std::size_t record_in_place = 16'384;

constexpr std::uint64_t beyond_any_range = std::numeric_limits<std::uint64_t>::max();

void record_span(Histogram& histogram, std::span<const std::uint64_t> values) {
    if (values.size() < record_in_place) {
        histogram.record_many(values);
        return;
    }
    // Other threads may record into `histogram` while the interpreter is released, so this loop must not.
    Histogram part;
    {
        const nb::gil_scoped_release released;
        part.record_many(values);
    }
    histogram.add(part);
}

// Any Python or numpy integer; values that are negative or exceed uint64 are counted as out of range.
void record_one(Histogram& histogram, nb::handle value) {
    const auto integer = nb::steal<nb::object>(PyNumber_Index(value.ptr()));
    if (!integer.is_valid()) nb::raise_python_error();
    int overflow = 0;
    const long long nanoseconds = PyLong_AsLongLongAndOverflow(integer.ptr(), &overflow);
    histogram.record(overflow == 0 ? static_cast<std::uint64_t>(nanoseconds) : beyond_any_range);
}

template <class Value>
void record_column(Histogram& histogram, const Column<Value>& values) {
    // A negative int64 reads as a uint64 above 2^63 and is counted as out of range.
    record_span(histogram, {reinterpret_cast<const std::uint64_t*>(values.data()), values.size()});
}

Histogram copy_of(const Histogram& histogram) {
    Histogram copy;
    copy.add(histogram);
    return copy;
}

Histogram take_from(Histogram& histogram) {
    Histogram taken = copy_of(histogram);
    histogram.reset();
    return taken;
}

nb::ndarray<nb::numpy, std::uint64_t, nb::ndim<1>> copy_counts(const Histogram& histogram) {
    auto copy = std::make_unique<std::uint64_t[]>(Histogram::bucket_count);
    std::ranges::copy(histogram.counts(), copy.get());
    std::uint64_t* data = copy.get();
    const nb::capsule owner(copy.release(), [](void* p) noexcept {
        std::default_delete<std::uint64_t[]>()(static_cast<std::uint64_t*>(p));
    });
    return {data, {Histogram::bucket_count}, owner};
}

}  // namespace

void register_histogram(const nb::module_& m) {
    nb::class_<Histogram>(m, "Histogram",
                          "Records nanoseconds; 3 significant digits, 0 to 2**42. `reports.histogram` reads it.")
        .def(nb::init<>())
        .def("record", &record_one, nb::arg("value"), nb::sig("def record(self, value: int) -> None"),
             "Count one value; a negative one or one above 2**42 counts as out of range.")
        .def("record_many", &record_column<std::uint64_t>, nb::arg("values").noconvert(),
             "Count every value of a contiguous array, shape (n,), uint64 or int64; releases the GIL on long "
             "ones.")
        .def("record_many", &record_column<std::int64_t>, nb::arg("values").noconvert())
        .def("add", &Histogram::add, nb::arg("other"), "Add every sample of another, out-of-range ones included.")
        .def("copy", &copy_of, "What it holds now, in one step even while other threads record.")
        .def("take", &take_from,
             "What it holds now, which it then forgets, in one step even while other threads record.")
        .def_prop_ro("counts", &copy_counts, nb::rv_policy::move, "A copy of the counts, uint64, shape (34816,).")
        .def_prop_ro("total", &Histogram::total, "Values counted, without those out of range.")
        .def_prop_ro("out_of_range", &Histogram::out_of_range, "Values that were negative or above 2**42.")
        .def_prop_ro("min", &Histogram::min, "Smallest value, exact; None when empty.")
        .def_prop_ro("max", &Histogram::max, "Largest value, exact; None when empty.");
}

}  // namespace lowlat
