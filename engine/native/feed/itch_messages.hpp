// The messages of NASDAQ TotalView-ITCH 5.0: their lengths, and where their fields lie.
//
// "Nasdaq TotalView-ITCH 5.0", sections 4.1 to 4.9:
// https://www.nasdaqtrader.com/content/technicalsupport/specifications/dataproducts/NQTVITCHSpecification.pdf
// Numbers are big-endian, and follow one another without padding:
//
//   0 type   1 stock locate (2)   3 tracking number (2)   5 nanoseconds since midnight (6)   11 what the type adds
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lowlat::itch {

struct Layout {
    char type;
    std::uint8_t bytes;
    const char* name;
};

inline constexpr std::array layouts{
    Layout{'S', 12, "system event"},
    Layout{'R', 39, "stock directory"},
    Layout{'H', 25, "stock trading action"},
    Layout{'Y', 20, "Reg SHO restriction"},
    Layout{'L', 26, "market participant position"},
    Layout{'V', 35, "circuit breaker levels"},
    Layout{'W', 12, "circuit breaker status"},
    Layout{'K', 28, "IPO quoting period"},
    Layout{'J', 35, "LULD auction collar"},
    Layout{'h', 21, "operational halt"},
    Layout{'A', 36, "add order"},
    Layout{'F', 40, "add order with MPID"},
    Layout{'E', 31, "order executed"},
    Layout{'C', 36, "order executed with price"},
    Layout{'X', 23, "order cancel"},
    Layout{'D', 19, "order delete"},
    Layout{'U', 35, "order replace"},
    Layout{'P', 44, "trade"},
    Layout{'Q', 40, "cross trade"},
    Layout{'B', 19, "broken trade"},
    Layout{'I', 50, "net order imbalance"},
    Layout{'N', 20, "retail interest"},
    Layout{'O', 48, "direct listing price discovery"},
};

/// Bytes of a message by its type; 0: no such type.
inline constexpr std::array<std::uint8_t, 256> lengths = [] {
    std::array<std::uint8_t, 256> by_type{};
    for (const Layout& layout : layouts) by_type[static_cast<unsigned char>(layout.type)] = layout.bytes;
    return by_type;
}();

/// Whether a message is about a displayed order, whose number it has.
constexpr bool names_order(char type) noexcept {
    return type == 'A' || type == 'F' || type == 'E' || type == 'C' || type == 'X' || type == 'D' || type == 'U';
}

/// Offsets of fields. Those of A begin F and P; those of E begin C and X.
namespace at {
inline constexpr std::size_t locate = 1;
inline constexpr std::size_t tracking = 3;
inline constexpr std::size_t order_id = 11;  // A, F, E, C, X, D; of U the original one
inline constexpr std::size_t side = 19;
inline constexpr std::size_t shares = 20;
inline constexpr std::size_t stock = 24;
inline constexpr std::size_t price = 32;
inline constexpr std::size_t taken_shares = 19;
inline constexpr std::size_t printable = 31;
inline constexpr std::size_t execution_price = 32;
inline constexpr std::size_t new_order_id = 19;
inline constexpr std::size_t new_shares = 27;
inline constexpr std::size_t new_price = 31;
inline constexpr std::size_t directory_stock = 11;  // R, H, h
inline constexpr std::size_t trading_state = 19;
inline constexpr std::size_t halt_market = 19;
inline constexpr std::size_t halt_action = 20;
inline constexpr std::size_t cross_shares = 11;
inline constexpr std::size_t cross_stock = 19;
inline constexpr std::size_t cross_price = 27;
inline constexpr std::size_t event_code = 11;
}  // namespace at

template <typename Number>
Number big_endian(const std::byte* from) noexcept {
    Number number;
    std::memcpy(&number, from, sizeof number);
    if constexpr (std::endian::native == std::endian::big) return number;
    if constexpr (sizeof number == 8) return __builtin_bswap64(number);
    if constexpr (sizeof number == 4) return __builtin_bswap32(number);
    if constexpr (sizeof number == 2) return __builtin_bswap16(number);
}

inline char character(const std::byte* from) noexcept {
    return static_cast<char>(*from);
}

/// Nanoseconds since midnight: six bytes, read with the two of the tracking number ahead of them.
inline std::uint64_t time_ns(const std::byte* message) noexcept {
    return big_endian<std::uint64_t>(message + at::tracking) & 0xFFFF'FFFF'FFFF;
}

}  // namespace lowlat::itch
