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

// ExtendedCommand has members of its own behind those of its base: no standard layout, for which offsetof is
// conditional; both compilers have it.
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
        {"EXTENDED_COMMAND",
         {{"", {0, sizeof(ExtendedCommand)}},
          FIELD(ExtendedCommand, order_id),
          FIELD(ExtendedCommand, price),
          FIELD(ExtendedCommand, quantity),
          FIELD(ExtendedCommand, symbol),
          FIELD(ExtendedCommand, kind),
          FIELD(ExtendedCommand, side),
          FIELD(ExtendedCommand, time_in_force),
          FIELD(ExtendedCommand, flags),
          FIELD(ExtendedCommand, trigger),
          FIELD(ExtendedCommand, expiry),
          FIELD(ExtendedCommand, display_quantity),
          FIELD(ExtendedCommand, participant_id),
          FIELD(ExtendedCommand, self_trade)}},
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
         {{"", {0, sizeof(LevelRow)}},
          FIELD(LevelRow, price),
          FIELD(LevelRow, quantity),
          FIELD(LevelRow, order_count)}},
        {"ORDER",
         {{"", {0, sizeof(OrderRow)}},
          FIELD(OrderRow, order_id),
          FIELD(OrderRow, price),
          FIELD(OrderRow, quantity),
          FIELD(OrderRow, symbol),
          FIELD(OrderRow, side),
          FIELD(OrderRow, flags),
          FIELD(OrderRow, reserve_quantity)}},
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

const char* name_of(CommandType kind) {
    switch (kind) {
        case CommandType::limit:
            return "LIMIT";
        case CommandType::market:
            return "MARKET";
        case CommandType::cancel:
            return "CANCEL";
        case CommandType::reduce:
            return "REDUCE";
        case CommandType::replace:
            return "REPLACE";
        case CommandType::stop:
            return "STOP";
        case CommandType::stop_limit:
            return "STOP_LIMIT";
        case CommandType::trailing_stop:
            return "TRAILING_STOP";
        case CommandType::advance_time:
            return "ADVANCE_TIME";
        case CommandType::phase:
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

const char* name_of(PoolPolicy when_dry) {
    switch (when_dry) {
        case PoolPolicy::refuse:
            return "REFUSE";
        case PoolPolicy::grow:
            return "GROW";
        case PoolPolicy::recycle:
            return "RECYCLE";
    }
    return nullptr;
}

const char* name_of(ExecType kind) {
    switch (kind) {
        case ExecType::accepted:
            return "ACCEPTED";
        case ExecType::rejected:
            return "REJECTED";
        case ExecType::trade:
            return "TRADE";
        case ExecType::cancelled:
            return "CANCELLED";
        case ExecType::reduced:
            return "REDUCED";
        case ExecType::replaced:
            return "REPLACED";
        case ExecType::triggered:
            return "TRIGGERED";
        case ExecType::refilled:
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

const char* name_of(SelfTradePrevention value) {
    switch (value) {
        case SelfTradePrevention::none:
            return "NONE";
        case SelfTradePrevention::cancel_resting:
            return "CANCEL_RESTING";
        case SelfTradePrevention::cancel_aggressing:
            return "CANCEL_AGGRESSING";
        case SelfTradePrevention::cancel_both:
            return "CANCEL_BOTH";
        case SelfTradePrevention::decrement:
            return "DECREMENT";
    }
    return nullptr;
}

const char* name_of(TradingPhase value) {
    switch (value) {
        case TradingPhase::continuous:
            return "CONTINUOUS";
        case TradingPhase::call:
            return "CALL";
        case TradingPhase::halted:
            return "HALTED";
        case TradingPhase::closed:
            return "CLOSED";
    }
    return nullptr;
}

const char* name_of(MatchAlgorithm value) {
    switch (value) {
        case MatchAlgorithm::fifo:
            return "FIFO";
        case MatchAlgorithm::pro_rata:
            return "PRO_RATA";
    }
    return nullptr;
}

const char* name_of(TickRounding value) {
    switch (value) {
        case TickRounding::reject:
            return "REJECT";
        case TickRounding::nearest:
            return "NEAREST";
        case TickRounding::passive:
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
        {"CommandType", values_of<CommandType>()},
        {"Side", values_of<Side>()},
        {"PoolPolicy", values_of<PoolPolicy>()},
        {"TimeInForce", values_of<TimeInForce>()},
        {"Reason", values_of<Reason>()},
        {"ExecType", values_of<ExecType>()},
        {"SelfTradePrevention", values_of<SelfTradePrevention>()},
        {"TradingPhase", values_of<TradingPhase>()},
        {"MatchAlgorithm", values_of<MatchAlgorithm>()},
        {"TickRounding", values_of<TickRounding>()},
        {"ExecInst",
         {{"POST_ONLY", flag_post_only},
          {"PRICE_SLIDE", flag_price_slide},
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
