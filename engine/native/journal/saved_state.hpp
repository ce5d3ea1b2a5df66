// What a snapshot's state consists of, and how it is read.
//
// The state is a list of orders in their queues, not an image of memory: it does not depend on an order's node, on the
// position of a ladder's window, or on the hash of the index. A restored engine therefore saves the same bytes again.
//
//     SavedEngine | Trade per record on the tape, oldest first |
//     per symbol: SavedBook | per queue (bids, asks, buy stops, sell stops), best level and oldest first: SavedOrder,
//                             each followed by its OrderAttributes if it has any
//
// In OrderAttributes, `next` holds a trailing stop's position among those of its side, by acceptance, from 1; `prev`,
// `place` and `pending` are zero, and so is the `anchor` of a waiting stop that does not trail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "engine/native/matching/records.hpp"

namespace lowlat {

struct SavedEngine {
    std::uint64_t sequence;
    std::uint64_t trades;
    std::uint64_t clock;
    std::uint64_t order_refusals;
    std::uint64_t trade_refusals;
    std::uint64_t tape_capacity;
    std::uint64_t tape_held;
    std::uint64_t tape_recycled;
    std::uint32_t orders_max;
    std::uint32_t symbols;
    std::uint32_t growths;
    std::uint32_t zero;
};
static_assert(sizeof(SavedEngine) == 80);

struct SavedBook {
    std::int64_t last;
    std::uint32_t orders[4];  // in each queue
    TradingPhase phase;
    std::uint8_t traded;  // 0 or 1, as a bool that may be anything else while it is unchecked
    std::uint8_t zero[6];
};
static_assert(sizeof(SavedBook) == 32);

struct SavedOrder {
    std::uint64_t id;
    std::int64_t key;  // of its level
    std::uint32_t quantity;
    std::uint8_t side;
    std::uint8_t attributes;
    std::uint8_t has_attributes;  // 1: its OrderAttributes follow
    std::uint8_t zero[9];
};
static_assert(sizeof(SavedOrder) == 32);

/// The bytes are not a valid state of an engine with these settings. Becomes the Python error FormatError.
class StateError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Reads records one after the other.
struct StateReader {
    const std::byte* at;
    std::size_t left;

    template <typename Record>
    Record get() {
        if (left < sizeof(Record)) throw StateError("it ends too early");
        Record record;
        std::memcpy(static_cast<void*>(&record), at, sizeof record);
        at += sizeof record;
        left -= sizeof record;
        return record;
    }
};

}  // namespace lowlat
