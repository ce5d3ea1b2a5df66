// Low-level Python bindings of the journal; engine/journal/file.py creates and opens the files.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <tuple>
#include <vector>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/journal/reader.hpp"
#include "engine/native/journal/snapshot.hpp"
#include "engine/native/journal/writer.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/sinks.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

std::uint32_t crc32c_of(nb::handle data, std::uint32_t before) {
    const PyBuffer<const std::byte> bytes(data);
    const nb::gil_scoped_release released;
    return crc32c_after(before, bytes.data(), bytes.size());
}

/// Where the trusted part ends; why; and the block that cannot be trusted.
using Walked = std::tuple<JournalPosition, int, JournalPosition>;

/// Reads a file's first `bytes` bytes from `place` until a batch ends at `until` or later, as far as the batches can be
/// trusted; if there is a matcher, it executes their commands.
Walked walk_journal(int file, std::uint64_t bytes, JournalPosition place, std::uint64_t until, OwnedMatcher* matcher) {
    JournalReader reader(file, bytes);
    JournalStop stop{};
    if (matcher == nullptr) {
        const nb::gil_scoped_release released;
        stop = reader.walk(place, until, [](const BlockHead&, const std::byte*) {});
        return {place, static_cast<int>(stop.fault), stop.at};
    }
    const ExclusiveUse claim(*matcher);
    std::vector<Event> events(ring_events);
    RingSink sink(events.data(), ring_events - 1);
    const std::uint32_t failures = matcher->growth_failures();
    const nb::gil_scoped_release released;
    const auto execute = [&](const BlockHead& head, const std::byte* payload) {
        switch (head.kind) {
            case BlockKind::commands:
                return matcher->execute_all(reinterpret_cast<const Command*>(payload), commands_in(head), sink);
            case BlockKind::extended_commands:
                return matcher->execute_all(reinterpret_cast<const ExtendedCommand*>(payload), commands_in(head), sink);
            case BlockKind::drain:
                matcher->drain_tape();
        }
    };
    execute_whole(*matcher, [&] { stop = reader.walk(place, until, execute); });
    if (matcher->growth_failures() != failures) throw std::bad_alloc();  // the books would differ
    return {place, static_cast<int>(stop.fault), stop.at};
}

/// The engine's state and its position in the journal, after syncing the journal.
std::tuple<nb::bytes, JournalPosition> save(OwnedMatcher& matcher, JournalWriter* journal) {
    const ExclusiveUse claim(matcher);
    std::vector<std::byte> state;
    {
        const nb::gil_scoped_release released;
        if (journal != nullptr) journal->sync();
        state = Snapshot::save(matcher);
    }
    return {nb::bytes(reinterpret_cast<const char*>(state.data()), state.size()),
            journal == nullptr ? JournalPosition{} : journal->place()};
}

/// Not while another thread is executing.
void close_journal(OwnedMatcher& matcher, JournalWriter& journal) {
    const Claim claim(matcher);
    const nb::gil_scoped_release released;
    journal.close();
}

/// Leaves the matcher empty if the state is not one of it. `memory_bytes`: that its pools may take more.
void restore(OwnedMatcher& matcher, nb::handle state, std::uint64_t memory_bytes) {
    const Claim claim(matcher);
    const PyBuffer<const std::byte> bytes(state);
    const nb::gil_scoped_release released;
    matcher.reset();
    try {
        execute_whole(matcher, [&] { Snapshot::restore(matcher, bytes.data(), bytes.size(), memory_bytes); });
    } catch (...) {
        matcher.reset();
        matcher.broken = false;
        throw;
    }
}

/// Keeps other threads out of a matcher in a `with` block.
class MatcherClaim {
  public:
    explicit MatcherClaim(OwnedMatcher& matcher) : matcher_(matcher) {}
    void enter() { held_.emplace(matcher_); }
    void exit(nb::handle /*type*/, nb::handle /*exception*/, nb::handle /*traceback*/) { held_.reset(); }

  private:
    OwnedMatcher& matcher_;
    std::optional<ExclusiveUse> held_;
};

/// As the error that the failed call would raise in Python.
void translate(const std::exception_ptr& thrown, void*) {
    try {
        std::rethrow_exception(thrown);
    } catch (const JournalReadError& error) {
        errno = error.error_number;
        if (error.error_number == 0) {
            PyErr_SetString(PyExc_EOFError, error.what());
        } else {
            PyErr_SetFromErrnoWithFilename(PyExc_OSError, error.what());
        }
    } catch (const JournalWriteError& error) {
        errno = error.error_number;
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, error.what());
    } catch (const std::system_error& error) {  // of the thread that syncs, which cannot be started
        errno = error.code().value();
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, "pthread_create");
    }
}

}  // namespace

void register_journal(nb::module_& m) {
    nb::module_::import_("lowlat.reports._core");  // registers Histogram, which is used here
    nb::register_exception_translator(translate);
    nb::class_<JournalPosition>(m, "JournalPosition")
        .def(
            "__init__",
            [](JournalPosition* self, std::uint64_t end, std::uint64_t blocks, std::uint64_t sequence,
               std::uint32_t chain, std::uint32_t segment) {
                new (self) JournalPosition{
                    .end = end, .blocks = blocks, .sequence = sequence, .chain = chain, .segment = segment};
            },
            nb::arg("end"), nb::arg("blocks"), nb::arg("sequence"), nb::arg("chain"), nb::arg("segment"))
        .def_ro("end", &JournalPosition::end)
        .def_ro("blocks", &JournalPosition::blocks)
        .def_ro("sequence", &JournalPosition::sequence)
        .def_ro("chain", &JournalPosition::chain)
        .def_ro("segment", &JournalPosition::segment);
    nb::class_<JournalWriter>(m, "JournalWriter")
        .def(
            "__init__",
            [](JournalWriter* self, int file, const nb::bytes& name, const JournalPosition& place, int sync,
               std::uint64_t interval_ns) {
                new (self)
                    JournalWriter(file, {name.c_str(), name.size()}, place, static_cast<SyncPolicy>(sync), interval_ns);
            },
            nb::arg("file"), nb::arg("name"), nb::arg("place"), nb::arg("sync"), nb::arg("interval_ns"))
        .def("close", &JournalWriter::close, nb::call_guard<nb::gil_scoped_release>())
        .def("lose_name", &JournalWriter::lose_name, nb::arg("error"))
        .def("finish", &JournalWriter::finish, nb::call_guard<nb::gil_scoped_release>())
        .def_prop_ro("end", [](const JournalWriter& self) { return self.place().end; })
        .def_prop_ro("place", [](const JournalWriter& self) { return self.place(); })
        .def_prop_ro("open", &JournalWriter::open)
        .def_prop_ro("closed", &JournalWriter::closed)
        .def_prop_ro("in_step", &JournalWriter::in_step)
        .def_prop_ro("trouble", &JournalWriter::trouble)
        .def_prop_ro("syncs", &JournalWriter::syncs, nb::rv_policy::reference_internal);
    m.def("crc32c", &crc32c_of, nb::arg("data"), nb::arg("before") = 0);
}

void register_recovery(nb::module_& m) {
    translate_to<StateError>("FormatError");
    m.def("walk_journal", &walk_journal, nb::arg("file"), nb::arg("bytes"), nb::arg("place"), nb::arg("until"),
          nb::arg("matcher").none() = nb::none());
    nb::class_<MatcherClaim>(m, "MatcherClaim")
        .def(nb::init<OwnedMatcher&>(), nb::arg("matcher"), nb::keep_alive<1, 2>())
        .def("__enter__", &MatcherClaim::enter)
        .def("__exit__", &MatcherClaim::exit, nb::arg("type").none(), nb::arg("exception").none(),
             nb::arg("traceback").none());
    m.def("save_state", &save, nb::arg("matcher"), nb::arg("journal").none() = nb::none());
    m.def("close_journal", &close_journal, nb::arg("matcher"), nb::arg("journal"));
    m.def("restore_state", &restore, nb::arg("matcher"), nb::arg("state"), nb::arg("memory_bytes"));
}

}  // namespace lowlat
