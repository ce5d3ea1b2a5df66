// How this module was compiled, for the report.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include <map>
#include <string>

#include "engine/native/bindings/register.hpp"

namespace lowlat {
namespace {

std::map<std::string, std::string> build_facts() {
    return {
#if defined(__clang__)
        {"compiler", "clang " __clang_version__},
#else
        {"compiler", "gcc " __VERSION__},
#endif
        {"flags", LOWLAT_BUILD_FLAGS},
        {"isa", LOWLAT_BUILD_ISA},
        {"git", LOWLAT_BUILD_GIT},
        {"sanitize", LOWLAT_BUILD_SANITIZE},
#if defined(LOWLAT_CHECKED)
        {"checked", "every command"},
#else
        {"checked", ""},
#endif
    };
}

}  // namespace

void register_build(nanobind::module_& m) {
    m.def("build_facts", &build_facts);
}

}  // namespace lowlat
