// Builds the events of a command from the fields in which they differ.
#pragma once

#include <cstdint>

#include "engine/native/matching/records.hpp"
#include "engine/native/matching/side.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// The fields common to all events of one command.
struct EventSource {
    std::uint64_t sequence;
    std::uint32_t symbol;
    CommandType command;
};

/// The new state of one order.
struct OrderUpdate {
    ExecType kind;
    std::uint64_t id;
    std::uint8_t side;  // as in the command; any byte if it is rejected
    std::int64_t price;
    std::uint32_t quantity;
    std::uint32_t remaining;
    Reason reason = Reason::none;
};

/// One execution between an incoming and a resting order.
struct Fill {
    std::uint64_t taker_id;
    std::uint32_t taker_left;
    std::uint64_t maker_id;
    std::uint32_t maker_left;
    Side side;  // the taker's
    std::int64_t price;
    std::uint32_t quantity;
};

LOWLAT_INLINE Event event_of(const EventSource& source, const OrderUpdate& update) {
    return {.sequence = source.sequence,
            .order_id = update.id,
            .maker_id = 0,
            .price = update.price,
            .quantity = update.quantity,
            .remaining = update.remaining,
            .maker_remaining = 0,
            .symbol = source.symbol,
            .trade_id = 0,
            .kind = update.kind,
            .side = update.side,
            .reason = update.reason,
            .command = source.command,
            .zero = 0};
}

LOWLAT_INLINE Event event_of(const EventSource& source, const Fill& fill, std::uint64_t trade_id) {
    return {.sequence = source.sequence,
            .order_id = fill.taker_id,
            .maker_id = fill.maker_id,
            .price = fill.price,
            .quantity = fill.quantity,
            .remaining = fill.taker_left,
            .maker_remaining = fill.maker_left,
            .symbol = source.symbol,
            .trade_id = trade_id,
            .kind = ExecType::trade,
            .side = byte_of(fill.side),
            .reason = Reason::none,
            .command = source.command,
            .zero = 0};
}

/// Its record on the trade tape.
LOWLAT_INLINE Trade trade_of(const Fill& fill, std::uint32_t symbol) {
    return {.maker_id = fill.maker_id,
            .taker_id = fill.taker_id,
            .price = fill.price,
            .quantity = fill.quantity,
            .symbol = symbol};
}

}  // namespace lowlat
