// Turns bytes into commands for a small world in which orders meet: few ids, prices and quantities, four symbols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat::fuzz {

/// A plain symbol; one with tick, lot and band; a pro-rata one that rounds prices; one that only rounds them.
inline EngineConfig world() {
    return {.symbols = {{1, 1, -1'000, 1'000},
                        {2, 3, -4, 20},
                        {2, 1, -1'000, 1'000, MatchAlgorithm::pro_rata, TickRounding::passive},
                        {3, 1, -1'000, 1'000, MatchAlgorithm::fifo, TickRounding::nearest}},
            .orders = 24,
            .trades = 64,
            .when_orders_dry = PoolPolicy::reject,
            .when_trades_dry = PoolPolicy::recycle};
}

/// `plain`: orders without terms, where they trade by price and time.
struct Input {
    bool plain = false;
    std::vector<ExtendedCommand> commands;
};

inline constexpr std::size_t bytes_each = 10;

/// Rare values produce unknown ones.
inline ExtendedCommand decode_plain(const std::uint8_t* b) {
    ExtendedCommand command{};
    command.kind = CommandType{static_cast<std::uint8_t>(b[0] % 6)};
    command.order_id = b[1] % 48;
    command.price = command.kind == CommandType::market && b[2] < 250 ? 0 : b[2] % 16;
    command.quantity = b[3] == 255 ? quantity_max + 1 : b[3] % 13;
    command.symbol = b[4] < 4 ? 4 : b[4] % 2;
    command.side = b[5] < 4 ? 2 : b[5] % 2;
    command.time_in_force = static_cast<std::uint8_t>(b[6] < 4 ? 5 : b[6] % 16 > 4 ? 0 : b[6] % 3);
    command.flags = b[7] < 4 ? 16 : b[7] % 8 == 7 ? flag_post_only : 0;
    return command;
}

/// Terms that only some orders have.
inline void decode_attributes(const std::uint8_t* b, ExtendedCommand& command) {
    const bool limit = command.kind == CommandType::limit;
    const bool stop = is_stop(command);
    if (!limit && command.kind != CommandType::replace && b[7] >= 4) command.flags = 0;
    if (stop) command.trigger = b[8] % 20 - (command.kind == CommandType::trailing_stop ? 0 : 8);
    if (command.kind == CommandType::trailing_stop && b[7] % 4 == 3) {
        command.flags = flag_trail_basis_points;
        command.trigger = b[8] * 40;
    }
    if (limit && b[7] % 8 == 6) command.flags = flag_post_only | flag_price_slide;
    if (limit && (b[7] % 8 == 4 || b[7] % 8 == 5)) command.flags = flag_all_or_none;
    if (limit && b[7] % 8 < 3 && b[8] % 2 == 1) command.display_quantity = b[8] / 2 % 6;
    if (is_order(command)) {
        command.participant_id = b[9] % 3;
        command.self_trade = SelfTradePrevention{static_cast<std::uint8_t>(b[9] == 255 ? 5 : b[9] / 3 % 5)};
    }
}

/// A command mostly with the fields of its kind; rarely one of another kind, or a value off tick or lot.
/// `clock` is the engine's clock according to the commands so far.
inline ExtendedCommand decode_extended(const std::uint8_t* b, std::uint64_t& clock) {
    constexpr std::uint8_t kinds[] = {1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10};
    constexpr std::uint8_t phases[] = {0, 0, 0, 0, 1, 1, 2, 3};
    ExtendedCommand command = decode_plain(b);
    command.kind = CommandType{b[0] < 254 ? kinds[b[0] % 16] : static_cast<std::uint8_t>(b[0] == 254 ? 0 : 11)};
    if (b[4] >= 4) command.symbol = b[4] % 4;
    if (b[3] == 253 || b[3] == 254) command.quantity = b[3] + 3;  // 256 and 257: the most slices, and one more
    command.price = has_price(command) || b[2] >= 250 ? b[2] % 16 - 6 : 0;
    if (b[6] >= 4 && b[6] % 16 <= 4) command.time_in_force = static_cast<std::uint8_t>(b[6] % 16);
    decode_attributes(b, command);
    if (command.symbol == 1 && b[9] < 240) {  // mostly its ticks of 2 and lots of 3
        command.price -= command.price % 2;
        command.trigger -= command.trigger % 2;
        command.quantity *= 3;
        command.display_quantity *= 3;
    }
    if (command.kind == CommandType::phase) command.quantity = b[3] == 255 ? 4 : phases[b[3] % 8];
    if (command.kind == CommandType::advance_time) {
        clock += b[3] % 6;
        command.quantity = static_cast<std::int64_t>(clock) - (b[3] >= 250 ? 4 : 0);
    }
    if (command.time_in_force == static_cast<std::uint8_t>(TimeInForce::gtd)) command.expiry = clock + b[8] % 16;
    if (b[9] == 246) command.flags = b[8] % 16;
    if (b[9] == 247) command.trigger = b[8];
    if (b[9] == 248) command.expiry = b[8];
    if (b[9] == 249) command.display_quantity = b[8];
    return command;
}

/// The first byte decides whether commands are plain; then ten bytes per command.
inline Input decode(const std::uint8_t* bytes, std::size_t size) {
    Input input;
    if (size == 0) return input;
    input.plain = bytes[0] % 2 == 0;
    std::uint64_t clock = 0;
    for (std::size_t at = 1; at + bytes_each <= size; at += bytes_each) {
        const std::uint8_t* each = bytes + at;
        input.commands.push_back(input.plain ? decode_plain(each) : decode_extended(each, clock));
    }
    return input;
}

}  // namespace lowlat::fuzz
