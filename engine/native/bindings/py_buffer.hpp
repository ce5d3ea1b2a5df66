// A Python buffer, held: plain contiguous memory. The dtype was checked in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace lowlat {

template <typename Record>
class Buffer {
  public:
    /// Throws what Python raises when the object gives no contiguous buffer (writable unless `Record` is const).
    explicit Buffer(nanobind::handle object) {
        const int flags = PyBUF_C_CONTIGUOUS | (std::is_const_v<Record> ? 0 : PyBUF_WRITABLE);
        if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nanobind::python_error();
        // The structs promise the compiler an alignment that numpy does not; engine/matching/aligned.py keeps it.
        if (size() != 0 && reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(Record) != 0) {
            PyBuffer_Release(&view_);
            throw nanobind::buffer_error("records are not aligned");
        }
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { PyBuffer_Release(&view_); }

    Record* data() const { return static_cast<Record*>(view_.buf); }
    std::size_t itemsize() const { return static_cast<std::size_t>(view_.itemsize); }
    std::uint64_t size() const { return static_cast<std::uint64_t>(view_.len) / sizeof(Record); }

  private:
    Py_buffer view_{};
};

}  // namespace lowlat
