// Engines that run as other processes, reached through two rings.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/native/bindings/event_memory.hpp"
#include "engine/native/bindings/measured_passes.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/external/ring_echo.hpp"
#include "engine/native/external/ring_process.hpp"
#include "engine/native/platform/guarded_mapping.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// The memory of a ring, kept alive and checked.
class RingBlock {
  public:
    RingBlock(nb::handle memory, std::uint64_t capacity, std::size_t record_bytes)
        : memory_(memory), guard_(memory_.data(), memory_.size(), true), capacity_(capacity) {
        const std::uint64_t least = record_bytes == sizeof(Command) ? SpscRing<Command>::bytes_for(capacity)
                                                                    : SpscRing<Event>::bytes_for(capacity);
        if (!ring_capacity_valid(capacity) || memory_.size() < least)
            throw nb::buffer_error("the memory is shorter than a ring of this capacity");
        if (reinterpret_cast<std::uintptr_t>(memory_.data()) % alignof(RingHeader) != 0)
            throw nb::buffer_error("the memory is not aligned");
    }

    void* block() { return memory_.data(); }
    std::uint64_t capacity() const { return capacity_; }
    bool lost() const { return guard_.lost(); }

  private:
    PyBuffer<std::byte> memory_;
    GuardedMapping guard_;
    std::uint64_t capacity_;
};

/// Both rings.
class RingBlocks {
  public:
    RingBlocks(nb::handle commands, std::uint64_t commands_capacity, nb::handle events, std::uint64_t events_capacity,
               bool extended)
        : command_size_(extended ? sizeof(ExtendedCommand) : sizeof(Command)),
          commands_(commands, commands_capacity, command_size_),
          events_(events, events_capacity, sizeof(Event)) {}

    std::size_t command_size() const { return command_size_; }
    /// No more commands come.
    void close() {
        if (command_size_ == sizeof(Command))
            SpscRing<Command>(commands_.block(), commands_.capacity()).close();
        else
            SpscRing<ExtendedCommand>(commands_.block(), commands_.capacity()).close();
    }
    RingPair pair() { return {commands_.block(), commands_.capacity(), events_.block(), events_.capacity()}; }
    bool lost() const { return commands_.lost() || events_.lost(); }

  private:
    std::size_t command_size_;
    RingBlock commands_;
    RingBlock events_;
};

/// An engine's process with the memory of its rings.
class MappedRingProcess {
  public:
    MappedRingProcess(RingBlocks& blocks, std::int32_t process, std::uint64_t stall_limit_ms)
        : blocks_(blocks),
          process_(blocks.pair(), blocks.command_size(), Patience(process, std::chrono::milliseconds(stall_limit_ms))) {
    }

    RingProcess& process() { return process_; }

    /// What `use()` returns. Throws RingProcessError, also if a ring lost its memory meanwhile: its zeros would be
    /// taken for no answer.
    template <typename Use>
    auto watched(Use use) {
        try {
            auto result = use();
            if (!blocks_.lost()) return result;
        } catch (const RingProcessError&) {
            if (!blocks_.lost()) throw;
        }
        throw RingProcessError("truncated the file of a ring");
    }

  private:
    RingBlocks& blocks_;
    RingProcess process_;
};

/// The engine's process with the commands that its ring has room for.
template <typename Records, typename Run>
Pass with_engine(MappedRingProcess& mapped, const Records&, Run run) {
    if (sizeof(typename Records::value_type) != mapped.process().command_size()) {
        throw nb::buffer_error("the engine was made for commands of another size");
    }
    RingCaller engine(mapped.process());
    return mapped.watched([&] {
        Pass pass = run(engine, engine.sink());
        pass.tail = engine.tail();
        return pass;
    });
}

RecordArray process_all(MappedRingProcess& mapped, nb::handle commands) {
    return with_commands(commands, [&](auto in) {
        if (sizeof(typename decltype(in)::value_type) != mapped.process().command_size()) {
            throw nb::buffer_error("the engine was made for commands of another size");
        }
        return mapped.watched([&] {
            GrowingSink sink(2 * in.size());
            {
                const nb::gil_scoped_release released;
                mapped.process().exchange(in.data(), in.size(), [&sink](const Event& event) { sink.next() = event; });
            }
            return array_of(sink);
        });
    });
}

void echo(RingBlocks& blocks) {
    const auto go_on = [] {
        const nb::gil_scoped_acquire acquired;
        return PyErr_CheckSignals() == 0;
    };
    {
        const nb::gil_scoped_release released;
        if (blocks.command_size() == sizeof(Command))
            echo_rings<Command>(blocks.pair(), go_on);
        else
            echo_rings<ExtendedCommand>(blocks.pair(), go_on);
    }
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
}

}  // namespace

void register_external(nb::module_& m) {
    translate_to<RingProcessError>("NotValidError");
    nb::class_<RingBlocks>(m, "RingBlocks")
        .def(
            "__init__",
            [](RingBlocks* self, nb::handle commands, std::uint64_t commands_capacity, nb::handle events,
               std::uint64_t events_capacity, bool extended) {
                new (self) RingBlocks(commands, commands_capacity, events, events_capacity, extended);
            },
            nb::arg("commands"), nb::arg("commands_capacity"), nb::arg("events"), nb::arg("events_capacity"),
            nb::arg("extended"))
        .def("close", &RingBlocks::close)
        .def("echo", &echo);
    nb::class_<MappedRingProcess>(m, "RingProcess")
        .def(
            "__init__",
            [](MappedRingProcess* self, RingBlocks& blocks, std::int32_t process, std::uint64_t stall_limit_ms) {
                new (self) MappedRingProcess(blocks, process, stall_limit_ms);
            },
            nb::keep_alive<1, 2>(), nb::arg("rings"), nb::arg("process"), nb::arg("stall_limit_ms"))
        .def("process", &process_all, nb::arg("commands"))
        .def_prop_ro("answered", [](MappedRingProcess& self) { return self.process().answered(); });
    register_passes<MappedRingProcess>(m, "engine");
}

}  // namespace lowlat
