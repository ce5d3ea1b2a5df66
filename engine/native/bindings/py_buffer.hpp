// A held Python buffer: plain contiguous memory. The dtype was checked in Python; the record size tells plain from
// extended commands.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "engine/native/matching/records.hpp"

namespace lowlat {

template <typename Record>
class PyBuffer {
  public:
    /// Throws Python's error if the object has no contiguous buffer (writable unless `Record` is const).
    explicit PyBuffer(nanobind::handle object) {
        const int flags = PyBUF_C_CONTIGUOUS | (std::is_const_v<Record> ? 0 : PyBUF_WRITABLE);
        if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nanobind::python_error();
        // The structs require an alignment that numpy does not guarantee; engine/matching/aligned.py ensures it.
        if (size() != 0 && reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(Record) != 0) {
            PyBuffer_Release(&view_);
            throw nanobind::buffer_error("records are not aligned");
        }
    }
    PyBuffer(const PyBuffer&) = delete;
    PyBuffer& operator=(const PyBuffer&) = delete;
    ~PyBuffer() { PyBuffer_Release(&view_); }

    Record* data() const { return static_cast<Record*>(view_.buf); }
    std::size_t itemsize() const { return static_cast<std::size_t>(view_.itemsize); }
    std::uint64_t size() const { return static_cast<std::uint64_t>(view_.len) / sizeof(Record); }

  private:
    Py_buffer view_{};
};

/// Call `use(span)` with the commands, and hold them during the call.
template <typename Use>
auto with_commands(nanobind::handle commands, Use use) {
    const bool extended = PyBuffer<const std::byte>(commands).itemsize() == sizeof(ExtendedCommand);
    if (extended) {
        const PyBuffer<const ExtendedCommand> held(commands);
        return use(std::span(held.data(), held.size()));
    }
    const PyBuffer<const Command> held(commands);
    return use(std::span(held.data(), held.size()));
}

}  // namespace lowlat
