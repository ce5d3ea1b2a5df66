// Turns messages of NASDAQ TotalView-ITCH 5.0 into order events, one at a time.
//
//   A F   ADD                                  P     TRADE, of an order that was not displayed
//   E C   EXECUTE; not printable: AUCTION      Q     CROSS, if shares were crossed
//   X     REDUCE                               B     BUST
//   D     CANCEL                               H h   PHASE: T continuous, Q call, H and P halted
//   U     REPLACE                              else  no event
//
// E, C, X, D and U name an order, not its side, and E, X and D not its price: NO_SIDE, NO_PRICE. Nothing is known of an
// order here, so decoding takes no memory for one. An operational halt (h) is one of Nasdaq itself; those of its other
// markets leave its books as they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/native/feed/itch_messages.hpp"
#include "engine/native/feed/itch_symbols.hpp"
#include "engine/native/feed/records.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Why reading cannot go on: what stands where, and what should.
struct FeedFault {
    std::uint64_t offset;  // of the message, in the unpacked bytes
    std::uint64_t row;     // of the message, from 1; 0: not in a message
    std::string field;
    std::string problem;
};

/// Bytes of a file, and where the first of them lies in it.
struct Frame {
    std::span<const std::byte> bytes;
    std::uint64_t offset;

    const std::byte* at() const noexcept { return bytes.data(); }
    std::size_t size() const noexcept { return bytes.size(); }
    /// All but the first so many.
    Frame behind(std::size_t count) const noexcept { return {bytes.subspan(count), offset + count}; }
};

/// A caller's memory that events are written to.
struct EventBlock {
    OrderEvent* next;
    OrderEvent* end;

    std::size_t room() const noexcept { return static_cast<std::size_t>(end - next); }
};

/// What was read, and what of it is not an event.
struct ItchCounts {
    std::array<std::uint64_t, 256> messages{};  // by type
    std::uint64_t other_symbols = 0;            // of symbols that are not wanted
    std::uint64_t empty_crosses = 0;
    std::uint64_t other_halts = 0;  // operational halts of other markets
    std::uint64_t times_back = 0;   // messages with a time before that of the message ahead of them
};

class ItchDecoder {
  public:
    static constexpr std::uint64_t day_ns = 86'400'000'000'000;

    /// `until`: the first message of this time or later ends the reading.
    ItchDecoder(ItchSymbols symbols, std::uint64_t until) : symbols_(std::move(symbols)), until_(until) {}

    /// Decode one message, of at least one byte, into at most one event. False: it ended the reading, at a fault or at
    /// `until`.
    LOWLAT_INLINE bool decode(Frame frame, EventBlock& out) {
        const std::byte* message = frame.at();
        const auto type = static_cast<unsigned char>(*message);
        ++row_;
        if (unlikely(frame.size() != itch::lengths[type])) return odd_length(type, frame);
        const std::uint64_t time = itch::time_ns(message);
        if (unlikely(time < last_time_ || time >= end_) && !odd_time(time, frame)) return false;
        last_time_ = time;
        ++counts_.messages[type];
        const auto locate = itch::big_endian<std::uint16_t>(message + itch::at::locate);
        std::int32_t symbol = symbols_.number(locate);
        if (unlikely(symbol < 0)) {
            symbol = find_symbol(frame, locate);
            if (symbol < 0) return !fault_;
        }
        OrderEvent& event = *out.next;
        event = OrderEvent{};
        event.time_ns = time;
        event.row = row_;
        event.symbol = static_cast<std::uint32_t>(symbol);
        event.flags = flags_;
        return fill(event, frame, out);
    }

    /// Events were lost ahead of the next one.
    void mark_gap() noexcept { flags_ |= event_flag_gap; }

    /// End the reading at something else than a message.
    bool end_at(std::uint64_t offset, std::string field, std::string problem) {
        fault_ = FeedFault{offset, 0, std::move(field), std::move(problem)};
        return false;
    }

    /// Why the reading ended; nothing while it goes on, and if it reached `until`.
    const std::optional<FeedFault>& fault() const noexcept { return fault_; }
    bool reached_until() const noexcept { return reached_until_; }
    bool ended_messages() const noexcept { return ended_messages_; }
    std::uint64_t rows() const noexcept { return row_; }
    const ItchCounts& counts() const noexcept { return counts_; }
    const ItchSymbols& symbols() const noexcept { return symbols_; }

  private:
    using Action = OrderAction;

    static constexpr std::uint16_t id_alone = event_flag_no_side | event_flag_no_price;

    /// What the type adds to the event, which is kept if it is one.
    LOWLAT_INLINE bool fill(OrderEvent& event, Frame frame, EventBlock& out) {
        namespace at = itch::at;
        using itch::big_endian;
        using Long = std::uint64_t;
        using Short = std::uint32_t;
        const std::byte* message = frame.at();
        const char type = itch::character(message);
        if (unlikely(!itch::names_order(type))) return fill_rare(event, frame, out);
        event.order_id = big_endian<Long>(message + at::order_id);
        switch (type) {
            case 'A':
            case 'F':
                event.action = Action::add;
                event.quantity = big_endian<Short>(message + at::shares);
                event.price = big_endian<Short>(message + at::price);
                if (!take_side(event, frame) || !has_shares(event, frame)) return false;
                break;
            case 'E':
                event.action = Action::execute;
                event.quantity = big_endian<Short>(message + at::taken_shares);
                event.flags |= id_alone;
                break;
            case 'C':
                event.action = Action::execute;
                event.quantity = big_endian<Short>(message + at::taken_shares);
                event.price = big_endian<Short>(message + at::execution_price);
                event.flags |= event_flag_no_side;
                if (itch::character(message + at::printable) == 'N') event.flags |= event_flag_auction;
                break;
            case 'X':
                event.action = Action::reduce;
                event.quantity = big_endian<Short>(message + at::taken_shares);
                event.flags |= id_alone;
                break;
            case 'D':
                event.action = Action::cancel;
                event.flags |= id_alone;
                break;
            case 'U':
                event.action = Action::replace;
                event.other_id = big_endian<Long>(message + at::new_order_id);
                event.quantity = big_endian<Short>(message + at::new_shares);
                event.price = big_endian<Short>(message + at::new_price);
                event.flags |= event_flag_no_side;
                if (!has_shares(event, frame)) return false;
                if (unlikely(event.other_id == 0)) return no_order(frame);
                break;
            default:
                break;
        }
        if (unlikely(event.order_id == 0)) return no_order(frame);
        return keep(out);
    }

    /// An event that is about no displayed order, or none at all.
    LOWLAT_APART bool fill_rare(OrderEvent& event, Frame frame, EventBlock& out) {
        namespace at = itch::at;
        const std::byte* message = frame.at();
        switch (itch::character(message)) {
            case 'P':
                event.action = Action::trade;
                event.quantity = itch::big_endian<std::uint32_t>(message + at::shares);
                event.price = itch::big_endian<std::uint32_t>(message + at::price);
                return take_side(event, frame) && keep(out);
            case 'Q':
                event.action = Action::cross;
                event.quantity = itch::big_endian<std::uint64_t>(message + at::cross_shares);
                event.price = itch::big_endian<std::uint32_t>(message + at::cross_price);
                event.flags |= event_flag_no_side;
                return event.quantity != 0 ? keep(out) : ++counts_.empty_crosses != 0;
            case 'B':
                event.action = Action::bust;
                event.flags |= id_alone;
                return keep(out);
            case 'H':
                return enter_phase(event, at::trading_state, frame, out);
            case 'h':
                if (itch::character(message + at::halt_market) != 'Q') return ++counts_.other_halts != 0;
                return enter_phase(event, at::halt_action, frame, out);
            case 'R':
                return rename(frame);
            case 'S':
                see_system_event(message);
                return true;
            default:
                return true;
        }
    }

    bool keep(EventBlock& out) noexcept {
        ++out.next;
        flags_ = event_flag_last;
        return true;
    }

    bool enter_phase(OrderEvent& event, std::size_t state_at, Frame frame, EventBlock& out) {
        const std::byte state = frame.bytes[state_at];
        TradingPhase phase{};
        switch (static_cast<char>(state)) {
            case 'T':
                phase = TradingPhase::continuous;
                break;
            case 'Q':
                phase = TradingPhase::call;
                break;
            case 'H':
            case 'P':
                phase = TradingPhase::halted;
                break;
            default:
                return fail(frame, "trading state", shown(state) + " is not H, P, Q or T");
        }
        event.action = Action::phase;
        event.quantity = static_cast<std::uint64_t>(phase);
        event.flags |= id_alone;
        return keep(out);
    }

    LOWLAT_INLINE bool take_side(OrderEvent& event, Frame frame) {
        const char side = itch::character(frame.at() + itch::at::side);
        event.side = side == 'S' ? 1 : 0;
        return likely(side == 'B' || side == 'S') ||
               fail(frame, "side", shown(frame.bytes[itch::at::side]) + " is not B or S");
    }

    LOWLAT_INLINE bool has_shares(const OrderEvent& event, Frame frame) {
        return likely(event.quantity != 0) || fail(frame, "shares", "0 is not a number of shares");
    }

    // -- what is not as it should be ----------------------------------------------------------------------------------

    LOWLAT_COLD bool fail(Frame frame, const char* field, std::string problem) {
        fault_ = FeedFault{frame.offset, row_, field, std::move(problem)};
        return false;
    }

    LOWLAT_COLD bool no_order(Frame frame) {
        return fail(frame, "order reference number", "0 is not the number of an order");
    }

    /// An unknown type is counted; a known one of another length is another version of ITCH, or damage.
    LOWLAT_COLD bool odd_length(unsigned char type, Frame frame) {
        if (itch::lengths[type] == 0) return ++counts_.messages[type] != 0;
        return fail(frame, "length",
                    std::to_string(frame.size()) + " is not " + std::to_string(itch::lengths[type]) +
                        ", that of type " + static_cast<char>(type));
    }

    /// True if the message is still to be read.
    LOWLAT_COLD bool odd_time(std::uint64_t time, Frame frame) {
        if (time >= day_ns) return fail(frame, "timestamp", std::to_string(time) + " ns is beyond the end of the day");
        reached_until_ = time >= until_;
        if (reached_until_) return false;
        ++counts_.times_back;
        return true;
    }

    /// The symbol of a code without a number, if the message says it or may have an event.
    LOWLAT_COLD std::int32_t find_symbol(Frame frame, std::uint16_t locate) {
        const std::byte* message = frame.at();
        const char type = itch::character(message);
        const std::size_t named_at = stock_offset(type);
        if (type == 'S') see_system_event(message);
        if (type != 'R' && !has_event(type)) return ItchSymbols::unknown;
        std::int32_t symbol = symbols_.number(locate);
        if (symbol != ItchSymbols::excluded || type == 'R') {
            if (!can_name(frame, named_at)) return ItchSymbols::unknown;
            symbol = named_at == 0 ? symbols_.without_name(locate) : symbols_.name(locate, message + named_at);
        }
        if (symbol < 0 && type != 'R') ++counts_.other_symbols;
        return symbol;
    }

    /// Whether one more symbol may have a number, and the message has its name there; 0: it has none.
    bool can_name(Frame frame, std::size_t named_at) {
        if (symbols_.full())
            return fail(frame, "stock locate", "more than " + std::to_string(ItchSymbols::most) + " symbols");
        if (named_at == 0 || is_stock_name(frame.at() + named_at)) return true;
        return fail(frame, "stock", "it is not a symbol, padded with spaces");
    }

    /// A directory message of a code that has a number: mostly the same again.
    bool rename(Frame frame) {
        if (!can_name(frame, itch::at::directory_stock)) return false;
        symbols_.name(itch::big_endian<std::uint16_t>(frame.at() + itch::at::locate),
                      frame.at() + itch::at::directory_stock);
        return true;
    }

    void see_system_event(const std::byte* message) noexcept {
        ended_messages_ = itch::character(message + itch::at::event_code) == 'C';
    }

    static std::size_t stock_offset(char type) noexcept {
        switch (type) {
            case 'R':
            case 'H':
            case 'h':
                return itch::at::directory_stock;
            case 'A':
            case 'F':
            case 'P':
                return itch::at::stock;
            case 'Q':
                return itch::at::cross_stock;
            default:
                return 0;
        }
    }

    static bool has_event(char type) noexcept {
        return std::string_view("AFECXDUPQBHh").find(type) != std::string_view::npos;
    }

    static std::string shown(std::byte value) {
        const auto code = static_cast<unsigned char>(value);
        if (code > ' ' && code <= '~') return std::string("'") + static_cast<char>(code) + "'";
        constexpr std::string_view digits = "0123456789abcdef";
        return std::string("0x") + digits[code >> 4] + digits[code & 15];
    }

    ItchSymbols symbols_;
    std::uint64_t until_;
    std::uint64_t end_ = until_ < day_ns ? until_ : day_ns;
    std::uint64_t last_time_ = 0;
    std::uint64_t row_ = 0;
    std::uint16_t flags_ = event_flag_last;
    bool reached_until_ = false;
    bool ended_messages_ = false;
    std::optional<FeedFault> fault_;
    ItchCounts counts_;
};

}  // namespace lowlat
