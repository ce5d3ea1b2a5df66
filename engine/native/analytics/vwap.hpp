// Exact sums of price times quantity. No product or sum can overflow; Python assembles the digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lowlat {

/// A number below 2^192 as six digits of base 2^32, lowest first.
using Digits = std::array<std::uint64_t, 6>;

/// Sum of (price + 2^63) * quantity, and of quantity. The caller subtracts 2^63 times the second from the first.
struct PriceSums {
    Digits products{};
    Digits quantities{};
};

/// A column of elements `stride` bytes apart, at any alignment.
struct Strided {
    const std::byte* start;
    std::ptrdiff_t stride;
};

/// Prices are int64. Quantities are uint32 or uint64, as the name says.
PriceSums sum_prices32(Strided prices, Strided quantities, std::size_t size);
PriceSums sum_prices64(Strided prices, Strided quantities, std::size_t size);

/// Of events: quantities are uint32, kinds uint8.
struct EventColumns {
    Strided prices;
    Strided quantities;
    Strided kinds;
};

/// The same over events; only trades count.
PriceSums sum_trades(const EventColumns& columns, std::size_t size);

}  // namespace lowlat
