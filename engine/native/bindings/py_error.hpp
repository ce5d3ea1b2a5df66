// Translates C++ exceptions to the errors of lowlat.errors; Python defines their names.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <new>

namespace lowlat {

/// Translate every `Thrown` to the class of lowlat.errors with that name, with the same message.
template <typename Thrown>
void translate_to(const char* name) {
    nanobind::register_exception_translator(
        [](const std::exception_ptr& thrown, void* payload) {
            try {
                std::rethrow_exception(thrown);
            } catch (const Thrown& error) {
                const auto* named = static_cast<const char*>(payload);
                PyErr_SetString(nanobind::module_::import_("lowlat.errors").attr(named).ptr(), error.what());
            }
        },
        const_cast<char*>(name));
}

/// Translate std::bad_alloc to a MemoryError that says so; its own text is its name.
inline void translate_bad_alloc() {
    nanobind::register_exception_translator(
        [](const std::exception_ptr& thrown, void*) {
            try {
                std::rethrow_exception(thrown);
            } catch (const std::bad_alloc&) {
                PyErr_SetString(PyExc_MemoryError, "the system refused the allocation");
            }
        },
        nullptr);
}

}  // namespace lowlat
