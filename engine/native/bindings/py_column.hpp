// A held column of a Python array: a field of records, or a plain array; any stride, any alignment.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lowlat {

/// Read-only, one-dimensional. The dtype was checked in Python; only the element size is checked here.
template <typename Element>
class PyColumn {
  public:
    explicit PyColumn(nanobind::handle object) {
        if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_STRIDED_RO) != 0) throw nanobind::python_error();
        if (view_.ndim != 1 || view_.itemsize != static_cast<Py_ssize_t>(sizeof(Element))) {
            PyBuffer_Release(&view_);
            throw nanobind::buffer_error("not a column of the expected width");
        }
    }
    PyColumn(const PyColumn&) = delete;
    PyColumn& operator=(const PyColumn&) = delete;
    ~PyColumn() { PyBuffer_Release(&view_); }

    std::size_t size() const { return static_cast<std::size_t>(view_.shape[0]); }
    const std::byte* start() const { return static_cast<const std::byte*>(view_.buf); }
    std::ptrdiff_t stride() const { return view_.strides[0]; }

  private:
    Py_buffer view_{};
};

}  // namespace lowlat
