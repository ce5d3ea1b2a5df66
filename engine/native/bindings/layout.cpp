// What the records and enumerations are in C++, for the test that compares them with engine/matching/records.py.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "engine/native/bindings/register.hpp"
#include "engine/native/matching/config.hpp"
#include "engine/native/matching/records.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Offset and size of each field, in bytes; the record itself is "".
using Layout = std::map<std::string, std::tuple<std::size_t, std::size_t>>;

// WideCommand has members of its own behind those of its base: no standard layout, for which offsetof is conditional;
// both compilers have it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

// A macro, because offsetof and the name of a field take its spelling.
#define FIELD(Record, name)                              \
    {                                                    \
        #name, {                                         \
            offsetof(Record, name), sizeof(Record::name) \
        }                                                \
    }

std::map<std::string, Layout> record_layouts() {
    return {
        {"COMMAND",
         {{"", {0, sizeof(Command)}},
          FIELD(Command, order_id),
          FIELD(Command, price),
          FIELD(Command, quantity),
          FIELD(Command, symbol),
          FIELD(Command, kind),
          FIELD(Command, side),
          FIELD(Command, time_in_force),
          FIELD(Command, flags)}},
        {"WIDE_COMMAND",
         {{"", {0, sizeof(WideCommand)}},
          FIELD(WideCommand, order_id),
          FIELD(WideCommand, price),
          FIELD(WideCommand, quantity),
          FIELD(WideCommand, symbol),
          FIELD(WideCommand, kind),
          FIELD(WideCommand, side),
          FIELD(WideCommand, time_in_force),
          FIELD(WideCommand, flags),
          FIELD(WideCommand, trigger),
          FIELD(WideCommand, expiry),
          FIELD(WideCommand, display),
          FIELD(WideCommand, owner),
          FIELD(WideCommand, self_trade)}},
        {"EVENT",
         {{"", {0, sizeof(Event)}},
          FIELD(Event, sequence),
          FIELD(Event, order_id),
          FIELD(Event, maker_id),
          FIELD(Event, price),
          FIELD(Event, quantity),
          FIELD(Event, remaining),
          FIELD(Event, maker_remaining),
          FIELD(Event, symbol),
          FIELD(Event, trade_id),
          FIELD(Event, kind),
          FIELD(Event, side),
          FIELD(Event, reason),
          FIELD(Event, command)}},
        {"TRADE",
         {{"", {0, sizeof(Trade)}},
          FIELD(Trade, maker_id),
          FIELD(Trade, taker_id),
          FIELD(Trade, price),
          FIELD(Trade, quantity),
          FIELD(Trade, symbol)}},
        {"LEVEL",
         {{"", {0, sizeof(LevelRow)}}, FIELD(LevelRow, price), FIELD(LevelRow, quantity), FIELD(LevelRow, orders)}},
        {"ORDER",
         {{"", {0, sizeof(OrderRow)}},
          FIELD(OrderRow, order_id),
          FIELD(OrderRow, price),
          FIELD(OrderRow, quantity),
          FIELD(OrderRow, symbol),
          FIELD(OrderRow, side),
          FIELD(OrderRow, flags),
          FIELD(OrderRow, hidden)}},
        {"STOP",
         {{"", {0, sizeof(StopRow)}},
          FIELD(StopRow, order_id),
          FIELD(StopRow, price),
          FIELD(StopRow, trigger),
          FIELD(StopRow, quantity),
          FIELD(StopRow, symbol),
          FIELD(StopRow, kind),
          FIELD(StopRow, side)}},
    };
}

#undef FIELD

// Each switch names every enumerator: the compiler warns of one that is missing.

const char* name_of(Kind kind) {
    switch (kind) {
        case Kind::limit:
            return "LIMIT";
        case Kind::market:
            return "MARKET";
        case Kind::cancel:
            return "CANCEL";
        case Kind::reduce:
            return "REDUCE";
        case Kind::replace:
            return "REPLACE";
        case Kind::stop:
            return "STOP";
        case Kind::stop_limit:
            return "STOP_LIMIT";
        case Kind::trailing_stop:
            return "TRAILING_STOP";
        case Kind::clock:
            return "CLOCK";
        case Kind::phase:
            return "PHASE";
    }
    return nullptr;
}

const char* name_of(Side side) {
    switch (side) {
        case Side::buy:
            return "BUY";
        case Side::sell:
            return "SELL";
    }
    return nullptr;
}

const char* name_of(TimeInForce time_in_force) {
    switch (time_in_force) {
        case TimeInForce::gtc:
            return "GTC";
        case TimeInForce::ioc:
            return "IOC";
        case TimeInForce::fok:
            return "FOK";
        case TimeInForce::day:
            return "DAY";
        case TimeInForce::gtd:
            return "GTD";
    }
    return nullptr;
}

const char* name_of(WhenDry when_dry) {
    switch (when_dry) {
        case WhenDry::refuse:
            return "REFUSE";
        case WhenDry::grow:
            return "GROW";
        case WhenDry::recycle:
            return "RECYCLE";
    }
    return nullptr;
}

const char* name_of(EventKind kind) {
    switch (kind) {
        case EventKind::accepted:
            return "ACCEPTED";
        case EventKind::rejected:
            return "REJECTED";
        case EventKind::trade:
            return "TRADE";
        case EventKind::cancelled:
            return "CANCELLED";
        case EventKind::reduced:
            return "REDUCED";
        case EventKind::replaced:
            return "REPLACED";
        case EventKind::triggered:
            return "TRIGGERED";
        case EventKind::refilled:
            return "REFILLED";
    }
    return nullptr;
}

const char* name_of(Reason reason) {
    switch (reason) {
        case Reason::none:
            return "NONE";
        case Reason::unknown_kind:
            return "UNKNOWN_KIND";
        case Reason::unknown_symbol:
            return "UNKNOWN_SYMBOL";
        case Reason::unknown_side:
            return "UNKNOWN_SIDE";
        case Reason::unknown_time_in_force:
            return "UNKNOWN_TIME_IN_FORCE";
        case Reason::unknown_flag:
            return "UNKNOWN_FLAG";
        case Reason::quantity_not_positive:
            return "QUANTITY_NOT_POSITIVE";
        case Reason::quantity_too_large:
            return "QUANTITY_TOO_LARGE";
        case Reason::quantity_off_lot:
            return "QUANTITY_OFF_LOT";
        case Reason::price_on_market_order:
            return "PRICE_ON_MARKET_ORDER";
        case Reason::price_off_tick:
            return "PRICE_OFF_TICK";
        case Reason::price_outside_band:
            return "PRICE_OUTSIDE_BAND";
        case Reason::duplicate_order_id:
            return "DUPLICATE_ORDER_ID";
        case Reason::unknown_order_id:
            return "UNKNOWN_ORDER_ID";
        case Reason::reduce_exceeds_remaining:
            return "REDUCE_EXCEEDS_REMAINING";
        case Reason::post_only_conflict:
            return "POST_ONLY_CONFLICT";
        case Reason::post_only_would_trade:
            return "POST_ONLY_WOULD_TRADE";
        case Reason::fok_not_fillable:
            return "FOK_NOT_FILLABLE";
        case Reason::order_pool_full:
            return "ORDER_POOL_FULL";
        case Reason::trade_pool_full:
            return "TRADE_POOL_FULL";
        case Reason::requested:
            return "REQUESTED";
        case Reason::ioc_remainder:
            return "IOC_REMAINDER";
        case Reason::market_remainder:
            return "MARKET_REMAINDER";
        case Reason::unknown_self_trade:
            return "UNKNOWN_SELF_TRADE";
        case Reason::term_not_for_kind:
            return "TERM_NOT_FOR_KIND";
        case Reason::terms_conflict:
            return "TERMS_CONFLICT";
        case Reason::display_too_large:
            return "DISPLAY_TOO_LARGE";
        case Reason::display_too_small:
            return "DISPLAY_TOO_SMALL";
        case Reason::expiry_not_ahead:
            return "EXPIRY_NOT_AHEAD";
        case Reason::trail_out_of_range:
            return "TRAIL_OUT_OF_RANGE";
        case Reason::not_in_this_phase:
            return "NOT_IN_THIS_PHASE";
        case Reason::stop_through_market:
            return "STOP_THROUGH_MARKET";
        case Reason::no_last_trade:
            return "NO_LAST_TRADE";
        case Reason::stop_still_waits:
            return "STOP_STILL_WAITS";
        case Reason::clock_backwards:
            return "CLOCK_BACKWARDS";
        case Reason::unknown_phase:
            return "UNKNOWN_PHASE";
        case Reason::expired:
            return "EXPIRED";
        case Reason::self_trade:
            return "SELF_TRADE";
    }
    return nullptr;
}

const char* name_of(SelfTrade value) {
    switch (value) {
        case SelfTrade::none:
            return "NONE";
        case SelfTrade::cancel_resting:
            return "CANCEL_RESTING";
        case SelfTrade::cancel_incoming:
            return "CANCEL_INCOMING";
        case SelfTrade::cancel_both:
            return "CANCEL_BOTH";
        case SelfTrade::decrement:
            return "DECREMENT";
    }
    return nullptr;
}

const char* name_of(Phase value) {
    switch (value) {
        case Phase::continuous:
            return "CONTINUOUS";
        case Phase::call:
            return "CALL";
        case Phase::halted:
            return "HALTED";
        case Phase::closed:
            return "CLOSED";
    }
    return nullptr;
}

const char* name_of(Algorithm value) {
    switch (value) {
        case Algorithm::fifo:
            return "FIFO";
        case Algorithm::pro_rata:
            return "PRO_RATA";
    }
    return nullptr;
}

const char* name_of(OffTick value) {
    switch (value) {
        case OffTick::reject:
            return "REJECT";
        case OffTick::nearest:
            return "NEAREST";
        case OffTick::passive:
            return "PASSIVE";
    }
    return nullptr;
}

template <typename Enum>
std::map<std::string, int> values_of() {
    std::map<std::string, int> values;
    for (int value = 0; value < 256; ++value) {
        // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): an enum with a stated base holds all its values
        if (const char* name = name_of(static_cast<Enum>(value))) values.emplace(name, value);
    }
    return values;
}

std::map<std::string, std::map<std::string, int>> enumerations() {
    return {
        {"Kind", values_of<Kind>()},
        {"Side", values_of<Side>()},
        {"WhenDry", values_of<WhenDry>()},
        {"TimeInForce", values_of<TimeInForce>()},
        {"Reason", values_of<Reason>()},
        {"EventKind", values_of<EventKind>()},
        {"SelfTrade", values_of<SelfTrade>()},
        {"Phase", values_of<Phase>()},
        {"Algorithm", values_of<Algorithm>()},
        {"OffTick", values_of<OffTick>()},
        {"Flag",
         {{"POST_ONLY", flag_post_only},
          {"SLIDE", flag_slide},
          {"ALL_OR_NONE", flag_all_or_none},
          {"TRAIL_BASIS_POINTS", flag_trail_basis_points}}},
    };
}

}  // namespace

void register_layout(nb::module_& m) {
    m.def("record_layouts", &record_layouts, "Offset and size of every field; the record itself is ''.");
    m.def("enumerations", &enumerations, "Name and value of every enumerator.");
    m.attr("QUANTITY_MAX") = quantity_max;
}

}  // namespace lowlat
