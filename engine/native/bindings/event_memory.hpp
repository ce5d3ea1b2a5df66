// The memory of event arrays. Fresh memory costs a page fault for each 64 events, more than the commands themselves, so
// that of a freed array is used again.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "engine/native/bindings/py_array.hpp"
#include "engine/native/matching/growing_sink.hpp"

namespace lowlat {

/// A sink for the events of a large batch, `live` orders resting or waiting. Call it with the GIL held.
GrowingSink sink_for(std::uint64_t commands, std::uint64_t live);

/// An array of EVENT that owns these events.
RecordArray array_of(GrowingSink::Events events, std::uint64_t count);

/// The same of all events of a sink, which is empty afterward; if it throws, the sink still has them. When the array is
/// freed, its memory may be that of the next large batch.
RecordArray array_of(GrowingSink& sink);

}  // namespace lowlat
