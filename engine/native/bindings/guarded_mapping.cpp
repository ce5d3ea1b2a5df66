// The guard of a mapping for Python; engine/platform/mapped_file.py maps the files.
#include "engine/native/platform/guarded_mapping.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstddef>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {

void register_guarded_mapping(const nb::module_& m) {
    translate_to<MappedFileError>("InputError");
    nb::class_<GuardedMapping>(m, "GuardedMapping")
        .def(
            "__init__",
            [](GuardedMapping* self, nb::handle mapping, bool writable) {
                // The buffer is not held: it would keep the mapping from being closed.
                const PyBuffer<const std::byte> memory(mapping);
                new (self) GuardedMapping(memory.data(), memory.size(), writable);
            },
            nb::arg("mapping"), nb::arg("writable"))
        .def("check", &GuardedMapping::check, nb::arg("name"))
        .def_prop_ro("lost", &GuardedMapping::lost);
}

}  // namespace lowlat
