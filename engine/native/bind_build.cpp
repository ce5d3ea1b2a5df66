// How this module was compiled, for the report.
#include <nanobind/nanobind.h>

#include "engine/native/register.hpp"

namespace lowlat {

void register_build(const nanobind::module_& m) {
#if defined(__clang__)
    m.attr("COMPILER") = "clang " __clang_version__;
#else
    m.attr("COMPILER") = "gcc " __VERSION__;
#endif
    m.attr("FLAGS") = LOWLAT_BUILD_FLAGS;
    m.attr("ISA") = LOWLAT_BUILD_ISA;
    m.attr("GIT") = LOWLAT_BUILD_GIT;
    m.attr("SANITIZE") = LOWLAT_BUILD_SANITIZE;
#if defined(LOWLAT_CHECKED)
    m.attr("CHECKED") = true;
#else
    m.attr("CHECKED") = false;
#endif
}

}  // namespace lowlat
