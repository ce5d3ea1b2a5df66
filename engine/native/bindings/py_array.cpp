#include "engine/native/bindings/py_array.hpp"

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <nanobind/stl/optional.h>
#include <numpy/arrayobject.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// The dtypes of engine/matching/records.py, which outlive the module. Read under the GIL.
struct RecordTypes {
    PyArray_Descr* command = nullptr;
    PyArray_Descr* extended = nullptr;
    PyArray_Descr* event = nullptr;
};

PyArray_Descr* record_type(const nb::module_& records, const char* name) {
    return reinterpret_cast<PyArray_Descr*>(nb::object(records.attr(name)).release().ptr());
}

const RecordTypes& record_types() {
    static RecordTypes types;
    if (types.event == nullptr) {
        const nb::module_ records = nb::module_::import_("lowlat.engine.matching.records");
        types = {record_type(records, "COMMAND"), record_type(records, "EXTENDED_COMMAND"),
                 record_type(records, "EVENT")};
    }
    return types;
}

/// A type that was compared last, and its names: assigning new ones changes the type in place.
struct ComparedType {
    nb::object type;
    nb::object names;
    bool extended = false;

    bool is(PyArray_Descr* other) const {
        return type.ptr() == reinterpret_cast<PyObject*>(other) && names.ptr() == PyDataType_NAMES(other);
    }
};

/// Whether commands of this type are extended; none if they are no commands. Arrays that were loaded from a file or
/// another process have types of their own, which take microseconds to compare: the last one is remembered.
// NOLINTNEXTLINE(misc-const-correctness): numpy does not take a const one
std::optional<bool> is_extended(PyArray_Descr* type) {
    static auto& last = *new ComparedType;  // never freed: Python may be gone by then
    const RecordTypes& types = record_types();
    if (type == types.command) return false;
    if (type == types.extended) return true;
    if (last.is(type)) return last.extended;
    const bool extended = PyArray_EquivTypes(type, types.extended) != 0;
    if (!extended && PyArray_EquivTypes(type, types.command) == 0) return std::nullopt;
    // Held, so that no other type takes its address.
    last = {nb::borrow(reinterpret_cast<PyObject*>(type)), nb::borrow(PyDataType_NAMES(type)), extended};
    return extended;
}

/// An owned reference to a new array; throws Python's error in place of null.
nb::object checked(const PyObject* array) {
    if (array == nullptr) throw nb::python_error();
    return nb::steal(array);
}

/// An array in memory that `owner` frees. numpy takes several times as long to allocate memory for records itself.
// NOLINTNEXTLINE(misc-const-correctness): numpy does not take const memory
RecordArray new_array(PyArray_Descr* type, std::uint64_t size, void* memory, nb::object owner) {
    const auto shape = static_cast<npy_intp>(size);
    Py_INCREF(type);  // which the array takes over
    nb::object array =
        checked(PyArray_NewFromDescr(&PyArray_Type, type, 1, &shape, nullptr, memory, NPY_ARRAY_CARRAY, nullptr));
    if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array.ptr()), owner.release().ptr()) < 0)
        throw nb::python_error();
    return nb::steal<RecordArray>(array.release());
}

/// Whether an int fits into `to`, which then has it.
template <typename Field>
bool fits(PyObject* number, Field& to) {
    int overflow = 0;
    const long long seen = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow == 0) {
        if (!std::in_range<Field>(seen)) return false;
        to = static_cast<Field>(seen);
        return true;
    }
    if constexpr (std::is_same_v<Field, std::uint64_t>) {
        to = PyLong_AsUnsignedLongLong(number);
        if (PyErr_Occurred() == nullptr) return true;
        PyErr_Clear();
    }
    return false;
}

/// The same of any object: an int, but not a bool, or an integer of numpy.
template <typename Field>
bool read(PyObject* object, Field& to) {
    if constexpr (std::is_enum_v<Field>) {
        std::underlying_type_t<Field> number{};
        if (!read(object, number)) return false;
        to = static_cast<Field>(number);
        return true;
    } else if (PyLong_Check(object)) {
        return !PyBool_Check(object) && fits(object, to);
    } else {
        // A duration is a signed integer to numpy's types, but not to Python.
        if (!PyArray_IsScalar(object, Integer) || PyArray_IsScalar(object, Timedelta)) return false;
        const nb::object number = checked(PyNumber_Index(object));
        return fits(number.ptr(), to);
    }
}

/// Read the fields of a tuple in their order; false if one cannot be.
template <typename... Field>
bool read_all(const nb::tuple& fields, Field&... to) {
    if (fields.size() != sizeof...(to)) return false;
    Py_ssize_t at = 0;
    return (read(PyTuple_GET_ITEM(fields.ptr(), at++), to) && ...);
}

/// A new array of one EXTENDED_COMMAND from a tuple of all its fields; none if one is not an integer, or does not fit.
std::optional<RecordArray> command_array(const nb::typed<nb::tuple, nb::object, nb::ellipsis>& fields) {
    ExtendedCommand made{};
    if (!read_all(fields, made.order_id, made.price, made.quantity, made.symbol, made.kind, made.side,
                  made.time_in_force, made.flags, made.trigger, made.expiry, made.display_quantity, made.participant_id,
                  made.self_trade)) {
        return std::nullopt;
    }
    auto held = std::make_unique<ExtendedCommand>(made);
    nb::capsule owner(held.get(), [](void* command) noexcept { delete static_cast<ExtendedCommand*>(command); });
    return new_array(record_types().extended, 1, held.release(), std::move(owner));
}

}  // namespace

CommandArray::CommandArray(nb::object held, bool extended) : held_(std::move(held)), extended_(extended) {
    const auto* array = reinterpret_cast<PyArrayObject*>(held_.ptr());
    first_ = PyArray_DATA(array);
    size_ = static_cast<std::uint64_t>(PyArray_DIM(array, 0));
}

std::optional<CommandArray> CommandArray::of(nb::handle object) {
    if (!PyArray_CheckExact(object.ptr())) return std::nullopt;
    const auto* array = reinterpret_cast<PyArrayObject*>(object.ptr());
    if (PyArray_NDIM(array) != 1 || !PyArray_IS_C_CONTIGUOUS(array)) return std::nullopt;
    if (reinterpret_cast<std::uintptr_t>(PyArray_DATA(array)) % alignof(ExtendedCommand) != 0) return std::nullopt;
    const std::optional<bool> extended = is_extended(PyArray_DESCR(array));
    if (!extended) return std::nullopt;
    return CommandArray(nb::borrow(object), *extended);
}

bool RecordArray::is_array(PyObject* object) {
    return PyArray_Check(object);
}

RecordArray event_array(Event* first, std::uint64_t count, nb::object owner) {
    return new_array(record_types().event, count, first, std::move(owner));
}

void register_arrays(nb::module_& m) {
    if (PyArray_ImportNumPyAPI() < 0) throw nb::python_error();
    m.def("is_in_place", [](nb::handle array) { return CommandArray::of(array).has_value(); }, nb::arg("array").none());
    m.def("command_array", &command_array, nb::arg("fields"));
}

}  // namespace lowlat
