// Ends a native loop from another thread.
#pragma once

#include <atomic>

namespace lowlat {

struct StopFlag {
    alignas(64) std::atomic<bool> set{false};
};

}  // namespace lowlat
