// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// Records of lowlat.h are those of records.hpp: arrays of the one are read as arrays of the other.
#pragma once

#include <cstddef>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/matching/records.hpp"

namespace lowlat {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // of a struct with a base; both compilers have it

static_assert(sizeof(lowlat_command) == 32);
static_assert(offsetof(lowlat_command, order_id) == 0);
static_assert(offsetof(lowlat_command, price) == 8);
static_assert(offsetof(lowlat_command, quantity) == 16);
static_assert(offsetof(lowlat_command, symbol) == 24);
static_assert(offsetof(lowlat_command, kind) == 28);
static_assert(offsetof(lowlat_command, side) == 29);
static_assert(offsetof(lowlat_command, time_in_force) == 30);
static_assert(offsetof(lowlat_command, flags) == 31);

static_assert(sizeof(lowlat_extended_command) == 64);
static_assert(offsetof(lowlat_extended_command, order_id) == 0);
static_assert(offsetof(lowlat_extended_command, price) == 8);
static_assert(offsetof(lowlat_extended_command, quantity) == 16);
static_assert(offsetof(lowlat_extended_command, symbol) == 24);
static_assert(offsetof(lowlat_extended_command, kind) == 28);
static_assert(offsetof(lowlat_extended_command, side) == 29);
static_assert(offsetof(lowlat_extended_command, time_in_force) == 30);
static_assert(offsetof(lowlat_extended_command, flags) == 31);
static_assert(offsetof(lowlat_extended_command, trigger) == 32);
static_assert(offsetof(lowlat_extended_command, expiry) == 40);
static_assert(offsetof(lowlat_extended_command, display_quantity) == 48);
static_assert(offsetof(lowlat_extended_command, participant_id) == 52);
static_assert(offsetof(lowlat_extended_command, self_trade) == 56);
static_assert(offsetof(lowlat_extended_command, zero) == 57);

static_assert(sizeof(lowlat_event) == 64);
static_assert(offsetof(lowlat_event, sequence) == 0);
static_assert(offsetof(lowlat_event, order_id) == 8);
static_assert(offsetof(lowlat_event, maker_id) == 16);
static_assert(offsetof(lowlat_event, price) == 24);
static_assert(offsetof(lowlat_event, quantity) == 32);
static_assert(offsetof(lowlat_event, remaining) == 36);
static_assert(offsetof(lowlat_event, maker_remaining) == 40);
static_assert(offsetof(lowlat_event, symbol) == 44);
static_assert(offsetof(lowlat_event, trade_id) == 48);
static_assert(offsetof(lowlat_event, kind) == 56);
static_assert(offsetof(lowlat_event, side) == 57);
static_assert(offsetof(lowlat_event, reason) == 58);
static_assert(offsetof(lowlat_event, command) == 59);
static_assert(offsetof(lowlat_event, zero) == 60);

static_assert(sizeof(lowlat_trade) == 32);
static_assert(offsetof(lowlat_trade, maker_id) == 0);
static_assert(offsetof(lowlat_trade, taker_id) == 8);
static_assert(offsetof(lowlat_trade, price) == 16);
static_assert(offsetof(lowlat_trade, quantity) == 24);
static_assert(offsetof(lowlat_trade, symbol) == 28);

static_assert(sizeof(lowlat_level) == 32);
static_assert(offsetof(lowlat_level, price) == 0);
static_assert(offsetof(lowlat_level, quantity) == 8);
static_assert(offsetof(lowlat_level, order_count) == 16);
static_assert(offsetof(lowlat_level, zero) == 24);

static_assert(sizeof(lowlat_order) == 32);
static_assert(offsetof(lowlat_order, order_id) == 0);
static_assert(offsetof(lowlat_order, price) == 8);
static_assert(offsetof(lowlat_order, quantity) == 16);
static_assert(offsetof(lowlat_order, symbol) == 20);
static_assert(offsetof(lowlat_order, side) == 24);
static_assert(offsetof(lowlat_order, flags) == 25);
static_assert(offsetof(lowlat_order, zero) == 26);
static_assert(offsetof(lowlat_order, reserve_quantity) == 28);

static_assert(sizeof(lowlat_stop) == 64);
static_assert(offsetof(lowlat_stop, order_id) == 0);
static_assert(offsetof(lowlat_stop, price) == 8);
static_assert(offsetof(lowlat_stop, trigger) == 16);
static_assert(offsetof(lowlat_stop, quantity) == 24);
static_assert(offsetof(lowlat_stop, symbol) == 28);
static_assert(offsetof(lowlat_stop, kind) == 32);
static_assert(offsetof(lowlat_stop, side) == 33);
static_assert(offsetof(lowlat_stop, zero) == 34);

static_assert(sizeof(lowlat_symbol_rules) == 48);
static_assert(offsetof(lowlat_symbol_rules, tick) == 0);
static_assert(offsetof(lowlat_symbol_rules, lot) == 8);
static_assert(offsetof(lowlat_symbol_rules, price_min) == 16);
static_assert(offsetof(lowlat_symbol_rules, price_max) == 24);
static_assert(offsetof(lowlat_symbol_rules, algorithm) == 32);
static_assert(offsetof(lowlat_symbol_rules, off_tick) == 40);

#pragma GCC diagnostic pop

}  // namespace lowlat
