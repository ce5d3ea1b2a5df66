// A batch from Python: executed, journaled if there is a journal, and its events.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "engine/native/journal/writer.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/growing_sink.hpp"

namespace lowlat {

using EventBytes = nanobind::ndarray<nanobind::numpy, std::uint8_t, nanobind::ndim<1>>;

/// These events, owned by the array.
EventBytes array_of(GrowingSink::Events events, std::uint64_t count);

/// All events, as bytes owned by the array. `release`: whether other threads run Python meanwhile.
///
/// If memory for events ends, or a signal's handler raises, it stops between two commands, and take_interrupted gives
/// what was done. With a journal it executes all commands, since all are in it.
EventBytes process(OwnedMatcher& matcher, nanobind::handle commands, bool release, JournalWriter* journal);

/// How many commands the last batch executed before it was interrupted, and their events; once.
std::optional<std::tuple<std::uint64_t, EventBytes>> take_interrupted(OwnedMatcher& matcher);

}  // namespace lowlat
