// A batch from Python: executed, journaled if there is a journal, and its events.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "engine/native/bindings/py_array.hpp"
#include "engine/native/journal/writer.hpp"
#include "engine/native/matching/exclusive_use.hpp"

namespace lowlat {

/// All events, an array of EVENT. From `release_from` commands on, other threads run Python meanwhile.
///
/// If memory for events ends, or a signal's handler raises, it stops between two commands, and take_interrupted gives
/// what was done. With a journal it executes all commands, since all are in it. Throws std::invalid_argument unless
/// CommandArray takes the commands.
RecordArray process(OwnedMatcher& matcher, nanobind::handle commands, std::uint64_t release_from,
                    JournalWriter* journal);

/// How many commands the last batch executed before it was interrupted, and their events; once.
std::optional<std::tuple<std::uint64_t, RecordArray>> take_interrupted(OwnedMatcher& matcher);

}  // namespace lowlat
