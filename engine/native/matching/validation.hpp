// Validation of an extended command's fields against its symbol's rules, without looking at orders or levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/simple_validation.hpp"

namespace lowlat {

inline bool is(const Command& command, TimeInForce time_in_force) {
    return command.time_in_force == static_cast<std::uint8_t>(time_in_force);
}
inline bool for_a_moment(const Command& command) {
    return is(command, TimeInForce::ioc) || is(command, TimeInForce::fok);
}
inline bool rests_with_attributes(const Command& command) {
    return command.kind == CommandType::limit && !for_a_moment(command);
}

/// The price rounded to the symbol's tick; none if the result does not fit int64.
inline std::optional<std::int64_t> on_tick(const SymbolRules& rules, Side side, std::int64_t price) {
    const std::int64_t tick = rules.tick;
    std::int64_t over = price % tick;  // distance above the next lower multiple
    if (over == 0) return price;
    if (over < 0) over += tick;
    const std::int64_t short_of = tick - over;
    const bool buys = side == Side::buy;
    bool up = !buys;
    if (rules.off_tick == TickRounding::nearest && over != short_of) up = short_of < over;
    std::int64_t rounded = 0;
    const bool outside =
        up ? __builtin_add_overflow(price, short_of, &rounded) : __builtin_sub_overflow(price, over, &rounded);
    return outside ? std::nullopt : std::optional(rounded);
}

inline Reason check_price(const SymbolRules& rules, std::int64_t price) {
    if (price % rules.tick != 0) return Reason::price_off_tick;
    return price >= rules.price_min && price <= rules.price_max ? Reason::none : Reason::price_outside_band;
}

/// Checks the command's `price`, and rounds it if the symbol does.
inline Reason check_limit(const Command& command, Side side, const SymbolRules& rules, std::int64_t& price) {
    if (!has_price(command)) return price == 0 ? Reason::none : Reason::price_on_market_order;
    if (rules.off_tick != TickRounding::reject) {
        const std::optional<std::int64_t> rounded = on_tick(rules, side, price);
        if (!rounded) return Reason::price_outside_band;
        price = *rounded;
    }
    return check_price(rules, price);
}

/// The attributes of an order, as bits of `may_say`.
inline unsigned attributes_of(const ExtendedCommand& command) {
    return command.flags | says_time | (command.trigger != 0 ? says_trigger : 0) |
           (command.expiry != 0 ? says_expiry : 0) | (command.display_quantity != 0 ? says_display_quantity : 0);
}

inline bool few_slices(std::int64_t quantity, std::uint32_t display_quantity) {
    return quantity <= std::int64_t{display_quantity} * slices_max;
}

inline Reason check_display(const ExtendedCommand& command, const SymbolRules& rules) {
    if (command.display_quantity == 0) return Reason::none;
    if (command.display_quantity > command.quantity) return Reason::display_too_large;
    if (command.display_quantity % rules.lot != 0) return Reason::quantity_off_lot;
    return few_slices(command.quantity, command.display_quantity) ? Reason::none : Reason::display_too_small;
}

inline Reason check_trigger(const ExtendedCommand& command, const SymbolRules& rules) {
    if (command.kind != CommandType::trailing_stop) return check_price(rules, command.trigger);
    const bool relative = (command.flags & flag_trail_basis_points) != 0;
    if (command.trigger <= 0 || (relative && command.trigger > basis_points_max)) return Reason::trail_out_of_range;
    return relative || command.trigger % rules.tick == 0 ? Reason::none : Reason::price_off_tick;
}

LOWLAT_INLINE bool phase_takes(TradingPhase phase, const Command& command) {
    if (phase == TradingPhase::continuous) return true;
    if (phase != TradingPhase::call) return false;
    if (command.kind == CommandType::replace) return (command.flags & flag_post_only) == 0;
    if (is_stop(command)) return true;
    return rests_with_attributes(command) && (command.flags & (flag_post_only | flag_all_or_none)) == 0;
}

/// All checks of an incoming order that need neither its id nor the books. Rounds the price.
LOWLAT_INLINE Reason check_order(const ExtendedCommand& command, const Book& book, std::uint64_t clock,
                                 std::int64_t& price) {
    if (!known(Side{command.side})) return Reason::unknown_side;
    if (!known(TimeInForce{command.time_in_force})) return Reason::unknown_time_in_force;
    if ((command.flags & ~flags_known) != 0) return Reason::unknown_flag;
    if (const Reason reason = check_quantity(command, book); reason != Reason::none) return reason;
    if (const Reason reason = check_limit(command, side_of(command), book.rules, price); reason != Reason::none)
        return reason;
    // A table, because branches on the kind of order are mispredicted.
    const unsigned may = may_say[static_cast<std::size_t>(command.kind)][command.time_in_force];
    const unsigned beyond = attributes_of(command) & ~may;
    if ((beyond & flag_post_only) != 0) return Reason::post_only_conflict;
    if (!known(command.self_trade)) return Reason::unknown_self_trade;
    const bool slides_only = (command.flags & (flag_price_slide | flag_post_only)) == flag_price_slide;
    if (beyond != 0 || slides_only) return Reason::term_not_for_kind;
    const bool all_or_none = (command.flags & flag_all_or_none) != 0;
    const bool conflict = command.display_quantity != 0 || (command.flags & flag_post_only) != 0 ||
                          book.rules.algorithm != MatchAlgorithm::fifo;
    if (all_or_none && conflict) return Reason::terms_conflict;
    if (const Reason reason = check_display(command, book.rules); reason != Reason::none) return reason;
    if (is(command, TimeInForce::gtd) && command.expiry <= clock) return Reason::expiry_not_ahead;
    if (is_stop(command))
        if (const Reason reason = check_trigger(command, book.rules); reason != Reason::none) return reason;
    return phase_takes(book.phase, command) ? Reason::none : Reason::not_in_this_phase;
}

/// The same for a change of price and quantity, except for the price, whose check needs the order's side.
inline Reason check_change(const ExtendedCommand& command, const Book& book) {
    if (command.time_in_force != 0) return Reason::unknown_time_in_force;
    if ((command.flags & ~flag_post_only) != 0) return Reason::unknown_flag;
    return check_quantity(command, book);
}

inline bool has_attributes(const ExtendedCommand& command) {
    return (static_cast<std::uint64_t>(command.trigger) | command.expiry | command.display_quantity |
            command.participant_id | static_cast<std::uint64_t>(command.self_trade)) != 0;
}

}  // namespace lowlat
