// Splits prices and quantities into 32-bit halves, block by block, and multiplies the halves. The compiler vectorizes
// the marked loops: test_vectorized.py checks this.
#include "engine/native/analytics/vwap.hpp"

#include <algorithm>
#include <cstring>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

// One build serves every x86-64: the dynamic linker selects the AVX2 loops if the processor has AVX2. It does so before
// a sanitizer's runtime is initialized, hence not in checked builds.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__AVX2__) && !defined(LOWLAT_CHECKED) && \
    !defined(LOWLAT_WITHOUT_VECTORS)
#define LOWLAT_WIDE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define LOWLAT_WIDE_VECTORS
#endif

namespace lowlat {
namespace {

constexpr std::uint64_t low_half = 0xFFFF'FFFF;

/// Halves of up to 512 prices and quantities: 8 KiB, which stays in the L1 cache.
struct Block {
    static constexpr std::size_t size = 512;
    alignas(64) std::array<std::uint32_t, size> price_low;
    alignas(64) std::array<std::uint32_t, size> price_high;
    alignas(64) std::array<std::uint32_t, size> quantity_low;
    alignas(64) std::array<std::uint32_t, size> quantity_high;
};

/// Carry what is above 2^32 in each digit to the next. With digits below 2^32, a block adds less than 2^44 to each, so
/// nothing overflows before the carry.
LOWLAT_INLINE void carry(Digits& digits) {
    for (std::size_t n = 0; n + 1 < digits.size(); ++n) {
        digits[n + 1] += digits[n] >> 32;
        digits[n] &= low_half;
    }
}

LOWLAT_INLINE void add_block32(const Block& block, std::size_t count, PriceSums& sums) {
    std::uint64_t digit0 = 0;
    std::uint64_t digit1 = 0;
    std::uint64_t digit2 = 0;
    std::uint64_t volume = 0;
    for (std::size_t n = 0; n < count; ++n) {  // vectorized
        const std::uint64_t low = std::uint64_t{block.price_low[n]} * block.quantity_low[n];
        const std::uint64_t high = std::uint64_t{block.price_high[n]} * block.quantity_low[n];
        digit0 += low & low_half;
        digit1 += (low >> 32) + (high & low_half);
        digit2 += high >> 32;
        volume += block.quantity_low[n];
    }
    sums.products[0] += digit0;
    sums.products[1] += digit1;
    sums.products[2] += digit2;
    sums.quantities[0] += volume;
}

LOWLAT_INLINE void add_block64(const Block& block, std::size_t count, PriceSums& sums) {
    add_block32(block, count, sums);
    std::uint64_t digit1 = 0;
    std::uint64_t digit2 = 0;
    std::uint64_t digit3 = 0;
    std::uint64_t volume = 0;
    for (std::size_t n = 0; n < count; ++n) {  // vectorized
        const std::uint64_t low = std::uint64_t{block.price_low[n]} * block.quantity_high[n];
        const std::uint64_t high = std::uint64_t{block.price_high[n]} * block.quantity_high[n];
        digit1 += low & low_half;
        digit2 += (low >> 32) + (high & low_half);
        digit3 += high >> 32;
        volume += block.quantity_high[n];
    }
    sums.products[1] += digit1;
    sums.products[2] += digit2;
    sums.products[3] += digit3;
    sums.quantities[1] += volume;
}

/// Price plus 2^63, which is never negative, so that the split products are unsigned.
LOWLAT_INLINE std::uint64_t bias(std::int64_t price) {
    return static_cast<std::uint64_t>(price) ^ (std::uint64_t{1} << 63);
}

/// Reads `price_at(n)` and `quantity_at(n)` for n below `size`, in order.
template <typename PriceAt, typename QuantityAt>
LOWLAT_INLINE PriceSums sum(PriceAt price_at, QuantityAt quantity_at, std::size_t size) {
    constexpr bool wide = sizeof(quantity_at(0)) == sizeof(std::uint64_t);
    PriceSums sums;
    Block block;
    for (std::size_t first = 0; first < size; first += Block::size) {
        const std::size_t count = std::min(Block::size, size - first);
        for (std::size_t n = 0; n < count; ++n) {  // vectorized
            const std::uint64_t price = bias(price_at(first + n));
            const auto quantity = quantity_at(first + n);
            block.price_low[n] = static_cast<std::uint32_t>(price);
            block.price_high[n] = static_cast<std::uint32_t>(price >> 32);
            block.quantity_low[n] = static_cast<std::uint32_t>(quantity);
            if constexpr (wide) block.quantity_high[n] = static_cast<std::uint32_t>(quantity >> 32);
        }
        if constexpr (wide) {
            add_block64(block, count, sums);
        } else {
            add_block32(block, count, sums);
        }
        carry(sums.products);
        carry(sums.quantities);
    }
    return sums;
}

template <typename Element>
LOWLAT_INLINE Element read(const std::byte* start, std::ptrdiff_t stride, std::size_t n) {
    Element element;
    std::memcpy(&element, start + static_cast<std::ptrdiff_t>(n) * stride, sizeof element);
    return element;
}

template <typename Element>
LOWLAT_INLINE auto elements(Strided column) {
    return [column](std::size_t n) { return read<Element>(column.start, column.stride, n); };
}

/// Contiguous columns have a compile-time stride, so that the compiler vectorizes the loads too.
template <typename Element>
LOWLAT_INLINE auto packed(Strided column) {
    return [column](std::size_t n) { return read<Element>(column.start, sizeof(Element), n); };
}

template <typename Quantity>
LOWLAT_INLINE PriceSums sum_columns(Strided prices, Strided quantities, std::size_t size) {
    if (prices.stride == sizeof(std::int64_t) && quantities.stride == sizeof(Quantity)) {
        return sum(packed<std::int64_t>(prices), packed<Quantity>(quantities), size);
    }
    return sum(elements<std::int64_t>(prices), elements<Quantity>(quantities), size);
}

}  // namespace

LOWLAT_WIDE_VECTORS
PriceSums sum_prices32(Strided prices, Strided quantities, std::size_t size) {
    return sum_columns<std::uint32_t>(prices, quantities, size);
}

LOWLAT_WIDE_VECTORS
PriceSums sum_prices64(Strided prices, Strided quantities, std::size_t size) {
    return sum_columns<std::uint64_t>(prices, quantities, size);
}

LOWLAT_WIDE_VECTORS
PriceSums sum_trades(const EventColumns& columns, std::size_t size) {
    const auto [prices, quantities, kinds] = columns;
    const auto traded = [quantities = quantities, kinds = kinds](std::size_t n) {
        // All ones for a trade, else zero: avoids an unpredictable branch.
        const bool is_trade = read<ExecType>(kinds.start, kinds.stride, n) == ExecType::trade;
        return read<std::uint32_t>(quantities.start, quantities.stride, n) &
               (0U - static_cast<std::uint32_t>(is_trade));
    };
    return sum(elements<std::int64_t>(prices), traded, size);
}

}  // namespace lowlat
