// The statuses of lowlat.h in words, and as an exception.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

inline constexpr std::array status_messages{
    "done",
    "a pointer is NULL that must not be",
    "an array does not start at a multiple of 8 bytes, or an array for events in place not at one of 64",
    "a size is of no version of its struct, or a field that this library does not know is not zero",
    "a symbol's rules: tick, lot, algorithm or off_tick is out of its range, or the band is empty",
    "settings: symbols, orders, trades, when_orders_dry or when_trades_dry is out of its range",
    "the engine holds no such symbol",
    "a side is LOWLAT_BUY or LOWLAT_SELL",
    "out of memory",
    "another thread is using or has claimed this engine; give each thread its own, take turns, or release it there",
    "memory ran out inside a command before; drain the events, then reset or destroy the engine",
    "a callback calls into the engine that is calling it; let it return first",
};
static_assert(status_messages.size() == LOWLAT_REENTERED + 1);

constexpr const char* message_of(lowlat_status status) {
    const bool known = status >= 0 && static_cast<std::size_t>(status) < status_messages.size();
    return known ? status_messages[static_cast<std::size_t>(status)] : "no status of this library";
}

/// A call that was refused and changed nothing.
class EngineError : public std::runtime_error {
  public:
    explicit EngineError(lowlat_status status) : std::runtime_error(message_of(status)), status_(status) {}
    lowlat_status status() const noexcept { return status_; }

  private:
    lowlat_status status_;
};

[[noreturn]] LOWLAT_COLD inline void refuse(lowlat_status status) {
    throw EngineError(status);
}

}  // namespace lowlat
