// Records of lowlat.h are those of records.hpp: a value put into each field of the one is found in the same field of
// the other. All values differ, so that no field can stand where another one does, nor be narrower or wider.
#pragma once

#include <bit>
#include <cstddef>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

consteval bool same_command() {
    const auto to = std::bit_cast<lowlat_command>(Command{1, 2, 3, 4, CommandType{5}, 6, 7, 8});
    return to.order_id == 1 && to.price == 2 && to.quantity == 3 && to.symbol == 4 && to.kind == 5 && to.side == 6 &&
           to.time_in_force == 7 && to.flags == 8;
}
static_assert(same_command());

consteval bool same_wide_command() {
    const auto to = std::bit_cast<lowlat_extended_command>(ExtendedCommand{
        {1, 2, 3, 4, CommandType{5}, 6, 7, 8}, 9, 10, 11, 12, SelfTradePrevention{13}, {14, 14, 14, 14, 14, 14, 14}});
    return to.order_id == 1 && to.price == 2 && to.quantity == 3 && to.symbol == 4 && to.kind == 5 && to.side == 6 &&
           to.time_in_force == 7 && to.flags == 8 && to.trigger == 9 && to.expiry == 10 && to.display_quantity == 11 &&
           to.participant_id == 12 && to.self_trade == 13 && to.zero[0] == 14 && to.zero[6] == 14;
}
static_assert(same_wide_command());

consteval bool same_event() {
    const auto to = std::bit_cast<lowlat_event>(
        Event{1, 2, 3, 4, 5, 6, 7, 8, 9, ExecType{10}, 11, Reason{12}, CommandType{13}, 14});
    return to.sequence == 1 && to.order_id == 2 && to.maker_id == 3 && to.price == 4 && to.quantity == 5 &&
           to.remaining == 6 && to.maker_remaining == 7 && to.symbol == 8 && to.trade_id == 9 && to.kind == 10 &&
           to.side == 11 && to.reason == 12 && to.command == 13 && to.zero == 14;
}
static_assert(same_event());

consteval bool same_trade() {
    const auto to = std::bit_cast<lowlat_trade>(Trade{1, 2, 3, 4, 5});
    return to.maker_id == 1 && to.taker_id == 2 && to.price == 3 && to.quantity == 4 && to.symbol == 5;
}
static_assert(same_trade());

consteval bool same_level() {
    const auto to = std::bit_cast<lowlat_level>(LevelRow{1, 2, 3, 4});
    return to.price == 1 && to.quantity == 2 && to.order_count == 3 && to.zero == 4;
}
static_assert(same_level());

consteval bool same_order() {
    const auto to = std::bit_cast<lowlat_order>(OrderRow{1, 2, 3, 4, 5, 6, 7, 8});
    return to.order_id == 1 && to.price == 2 && to.quantity == 3 && to.symbol == 4 && to.side == 5 && to.flags == 6 &&
           to.zero == 7 && to.reserve_quantity == 8;
}
static_assert(same_order());

consteval bool same_stop() {
    const auto to = std::bit_cast<lowlat_stop>(StopRow{1, 2, 3, 4, 5, CommandType{6}, 7, {8}});
    return to.order_id == 1 && to.price == 2 && to.trigger == 3 && to.quantity == 4 && to.symbol == 5 && to.kind == 6 &&
           to.side == 7 && to.zero[0] == 8;
}
static_assert(same_stop());

consteval bool same_rules() {
    const auto to = std::bit_cast<lowlat_symbol_rules>(SymbolRules{1, 2, 3, 4, MatchAlgorithm{5}, TickRounding{6}});
    return to.tick == 1 && to.lot == 2 && to.price_min == 3 && to.price_max == 4 && to.algorithm == 5 &&
           to.off_tick == 6;
}
static_assert(same_rules());

}  // namespace lowlat
