// Arrays of commands and events, by numpy's own C interface: a held buffer of one costs as much as 30 commands.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/native/matching/records.hpp"

namespace lowlat {

/// An array of records.
class RecordArray : public nanobind::object {
  public:
    NB_OBJECT_DEFAULT(RecordArray, nanobind::object, "numpy.typing.NDArray[numpy.void]", is_array)

  private:
    static bool is_array(PyObject* object);
};

/// The commands of an array, which is held meanwhile.
class CommandArray {
  public:
    /// None if `array` is not exactly a numpy.ndarray of COMMAND or EXTENDED_COMMAND of one dimension, without gaps,
    /// its records aligned.
    static std::optional<CommandArray> of(nanobind::handle array);

    std::uint64_t size() const { return size_; }

    /// Call `use(span)` with the commands.
    template <typename Use>
    auto visit(Use use) const {
        if (extended_) return use(std::span(static_cast<const ExtendedCommand*>(first_), size_));
        return use(std::span(static_cast<const Command*>(first_), size_));
    }

  private:
    CommandArray(nanobind::object held, bool extended);

    nanobind::object held_;
    const void* first_;
    std::uint64_t size_;
    bool extended_;
};

/// A new array of EVENT in memory that `owner` frees.
RecordArray event_array(Event* first, std::uint64_t count, nanobind::object owner);

}  // namespace lowlat
