// Commands from Python, plain or with terms: which, says the width of their records.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <span>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Call `use(span)` with the commands, which are held meanwhile.
template <typename Use>
auto with_commands(nanobind::handle commands, Use use) {
    const bool extended = Buffer<const std::byte>(commands).itemsize() == sizeof(ExtendedCommand);
    if (extended) {
        const Buffer<const ExtendedCommand> held(commands);
        return use(std::span(held.data(), held.size()));
    }
    const Buffer<const Command> held(commands);
    return use(std::span(held.data(), held.size()));
}

}  // namespace lowlat
