// Engines of shared libraries: loaded, and measured by the same passes as ours.
#include <malloc.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/native/bindings/event_memory.hpp"
#include "engine/native/bindings/measured_passes.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/foreign/foreign_engine.hpp"
#include "engine/native/foreign/null_engine.hpp"

namespace nb = nanobind;

namespace lowlat {

/// A foreign engine with the commands it was made for.
template <typename Records, typename Run>
static Pass with_engine(ForeignEngine& foreign, const Records& commands, Run run) {
    if (sizeof(typename Records::value_type) != foreign.command_size()) {
        throw nb::buffer_error("the engine was made for commands of another size");
    }
    return foreign.visit(commands.size(), [&](auto& engine) {
        Pass pass = run(engine, engine.sink());
        pass.tail = engine.tail();
        return pass;
    });
}

namespace {

std::vector<lowlat_symbol_rules> rules_from(nb::handle rules) {
    const PyBuffer<const SymbolRules> rows(rules);
    std::vector<lowlat_symbol_rules> copied;
    copied.reserve(rows.size());
    for (std::uint64_t at = 0; at < rows.size(); ++at)
        copied.push_back(std::bit_cast<lowlat_symbol_rules>(rows.data()[at]));
    return copied;
}

RecordArray process_all(ForeignEngine& engine, nb::handle commands) {
    return with_commands(commands, [&](auto in) {
        if (sizeof(typename decltype(in)::value_type) != engine.command_size()) {
            throw nb::buffer_error("the engine was made for commands of another size");
        }
        GrowingSink sink(2 * in.size());
        {
            const nb::gil_scoped_release released;
            engine.process(in.data(), in.size(), sink);
        }
        return array_of(sink);
    });
}

/// Bytes that the heap of the first thread has given out; -1 where the C library does not tell.
std::int64_t heap_in_use() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    const struct mallinfo2 heap = mallinfo2();
    return static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
#else
    return -1;
#endif
}

void register_library(const nb::module_& m) {
    nb::class_<EngineLibrary>(m, "EngineLibrary")
        .def(
            "__init__",
            [](EngineLibrary* self, const std::string& path, std::uint64_t stall_limit_ms) {
                new (self) EngineLibrary(path, std::chrono::milliseconds(stall_limit_ms));
            },
            nb::arg("path"), nb::arg("stall_limit_ms"))
        .def_static(
            "null", [](bool calls_back) { return new EngineLibrary(null_engine(calls_back)); }, nb::arg("calls_back"))
        .def_prop_ro("name",
                     [](const EngineLibrary& self) { return nb::bytes(self.name().data(), self.name().size()); })
        .def_prop_ro("version",
                     [](const EngineLibrary& self) { return nb::bytes(self.version().data(), self.version().size()); })
        .def_prop_ro("capabilities", [](const EngineLibrary& self) { return self.interface().capabilities; })
        .def_prop_ro("calls_back", &EngineLibrary::calls_back);
}

void register_foreign_engine(const nb::module_& m) {
    nb::class_<ForeignEngine>(m, "ForeignEngine")
        .def(
            "__init__",
            [](ForeignEngine* self, const EngineLibrary& library, nb::handle rules, std::uint32_t orders,
               bool extended) {
                new (self) ForeignEngine(library, rules_from(rules), orders,
                                         extended ? sizeof(ExtendedCommand) : sizeof(Command));
            },
            nb::keep_alive<1, 2>(), nb::arg("library"), nb::arg("rules"), nb::arg("orders"), nb::arg("extended"))
        .def("reset", &ForeignEngine::reset)
        .def("process", &process_all, nb::arg("commands"));
}

}  // namespace

void register_foreign(nb::module_& m) {
    translate_to<LibraryError>("PlugInError");
    translate_to<ContractError>("NotValidError");
    register_library(m);
    register_foreign_engine(m);
    register_passes<ForeignEngine>(m, "engine");
    m.def("heap_in_use", &heap_in_use);
    m.def("say_of_libraries_to", &CallWatch::say_to, nb::arg("descriptor"));
}

}  // namespace lowlat
