// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// What a command of a flow met in the book.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {

/// How an order's life in the book ended.
enum class LifeEnd : std::uint8_t {
    canceled = 0,  // A cancel or a reduce took what it had left.
    filled = 1,    // It traded to the end.
    lost = 2,      // The engine took it out: it expired, or would have traded with itself.
    open = 3,      // It did not end: the flow did.
};

/// One command of a flow, and what it met in the book.
struct FollowedCommand {
    std::int64_t distance;         // Ticks from its side's best price to its price or its order's; negative: better.
    std::int64_t spread;           // Ticks from the best bid to the best ask before; 0 if either is missing.
    std::uint32_t lifetime;        // Of a cancel, reduce or replace: commands since its order entered.
    std::uint32_t quantity;        // Lots of the order, or what it had left.
    std::uint32_t filled;          // Lots that it executed.
    std::uint32_t makers;          // Executions.
    std::uint32_t levels_filled;   // Different prices of them.
    std::uint32_t ahead;           // Orders ahead in its queue; if it enters, all at its price.
    std::uint32_t behind;          // Orders behind in its queue, counted up to 1,000.
    std::uint32_t touch_quantity;  // Lots at the other side's best price.
    std::uint32_t live;            // Orders that rest or wait afterward.
    std::uint32_t levels;          // Price levels afterward, over all books.
    std::uint32_t symbol;
    std::uint8_t accepted;  // 1: the engine accepted it.
    std::uint8_t placed;    // 1: it has a distance, because its side had a best price.
    std::uint8_t rests;     // 1: its order rests or waits afterward.
    std::uint8_t zero;
};
static_assert(sizeof(FollowedCommand) == 64);
static_assert(alignof(FollowedCommand) == 8);
static_assert(offsetof(FollowedCommand, distance) == 0);
static_assert(offsetof(FollowedCommand, spread) == 8);
static_assert(offsetof(FollowedCommand, lifetime) == 16);
static_assert(offsetof(FollowedCommand, quantity) == 20);
static_assert(offsetof(FollowedCommand, filled) == 24);
static_assert(offsetof(FollowedCommand, makers) == 28);
static_assert(offsetof(FollowedCommand, levels_filled) == 32);
static_assert(offsetof(FollowedCommand, ahead) == 36);
static_assert(offsetof(FollowedCommand, behind) == 40);
static_assert(offsetof(FollowedCommand, touch_quantity) == 44);
static_assert(offsetof(FollowedCommand, live) == 48);
static_assert(offsetof(FollowedCommand, levels) == 52);
static_assert(offsetof(FollowedCommand, symbol) == 56);
static_assert(offsetof(FollowedCommand, accepted) == 60);
static_assert(offsetof(FollowedCommand, placed) == 61);
static_assert(offsetof(FollowedCommand, rests) == 62);
static_assert(offsetof(FollowedCommand, zero) == 63);

/// How long an order of a flow rested, and how that ended.
struct OrderLife {
    std::uint64_t entered;   // Number of the command that entered it, from 0.
    std::uint64_t commands;  // From there to the command that ended it.
    std::int64_t distance;   // Of that command, as in FollowedCommand.
    std::uint8_t placed;     // 1: it has a distance, and did not trade on entry.
    LifeEnd end;
    std::uint8_t zero[6];
};
static_assert(sizeof(OrderLife) == 32);
static_assert(alignof(OrderLife) == 8);
static_assert(offsetof(OrderLife, entered) == 0);
static_assert(offsetof(OrderLife, commands) == 8);
static_assert(offsetof(OrderLife, distance) == 16);
static_assert(offsetof(OrderLife, placed) == 24);
static_assert(offsetof(OrderLife, end) == 25);
static_assert(offsetof(OrderLife, zero) == 26);

}  // namespace lowlat
