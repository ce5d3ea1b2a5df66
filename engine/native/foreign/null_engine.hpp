// An engine that does nothing: what it costs is what the calls cost.
#pragma once

#include "engine/native/foreign/lowlat_engine.h"

namespace lowlat {

/// Accepts every command with one event. Not inlined anywhere: it lies in a file of its own.
const lowlat_engine_interface& null_engine(bool calls_back);

}  // namespace lowlat
