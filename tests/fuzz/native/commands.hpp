// Bytes as commands to a small world, where orders meet: few ids, prices and quantities, three symbols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/native/records.hpp"
#include "engine/native/settings.hpp"

namespace lowlat::fuzz {

/// A plain symbol; one with tick, lot and band; a pro-rata one that rounds prices.
inline Settings world() {
    return {.symbols = {{1, 1, -1'000, 1'000},
                        {2, 3, -4, 20},
                        {2, 1, -1'000, 1'000, Algorithm::pro_rata, OffTick::passive}},
            .orders = 24,
            .trades = 64,
            .when_orders_dry = WhenDry::refuse,
            .when_trades_dry = WhenDry::recycle};
}

/// `plain`: a SimpleEngine knows all that is asked for.
struct Input {
    bool plain = false;
    std::vector<WideCommand> commands;
};

inline constexpr std::size_t bytes_each = 10;

/// The first byte decides whether orders have terms; then ten bytes a command. Rare values stand for what is unknown.
inline Input decode(const std::uint8_t* bytes, std::size_t size) {
    Input input;
    if (size == 0) return input;
    input.plain = bytes[0] % 2 == 0;
    for (std::size_t at = 1; at + bytes_each <= size; at += bytes_each) {
        const std::uint8_t* b = bytes + at;
        WideCommand command{};
        command.kind = Kind{static_cast<std::uint8_t>(input.plain ? b[0] % 6 : b[0] % 12)};
        command.order_id = b[1] % 48;
        command.price = command.kind == Kind::market && b[2] < 250 ? 0 : b[2] % 16;
        command.quantity = b[3] == 255 ? quantity_max + 1 : b[3] % 13;
        command.symbol = b[4] < 4 ? 3 : b[4] % (input.plain ? 2 : 3);
        command.side = b[5] < 4 ? 2 : b[5] % 2;
        const int times = input.plain ? 3 : 5;
        command.time_in_force = static_cast<std::uint8_t>(b[6] < 4 ? 5 : b[6] % 16 > 4 ? 0 : b[6] % times);
        command.flags = b[7] < 4 ? 16 : b[7] % 8 == 7 ? flag_post_only : 0;
        if (!input.plain) {
            const bool changes = command.kind >= Kind::cancel && command.kind <= Kind::replace;
            if (b[7] >= 4 && !changes && b[7] % 8 < 3) command.flags = b[7] / 8 % 16;
            if (command.kind == Kind::phase) command.quantity = b[3] % 8 < 4 ? 0 : b[3] % 5;
            if (command.kind == Kind::clock) command.quantity = b[3];
            if (command.kind >= Kind::stop && command.kind <= Kind::trailing_stop) {
                command.trigger = b[8] % 20;
                if (command.kind != Kind::stop_limit) command.price = 0;
            }
            if (command.time_in_force == static_cast<std::uint8_t>(TimeInForce::gtd)) command.expiry = b[8];
            if (command.kind == Kind::limit && b[8] % 4 == 3) command.display = b[8] / 4 % 8;
            if (!changes) {
                command.owner = b[9] % 3;
                command.self_trade = SelfTrade{static_cast<std::uint8_t>(b[9] / 3 % 6)};
            }
        }
        input.commands.push_back(command);
    }
    return input;
}

}  // namespace lowlat::fuzz
