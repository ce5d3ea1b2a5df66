#include "engine/native/bindings/price_grid.hpp"

#include <bit>
#include <numeric>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/side.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Prices on no grid are multiples of `n` by chance, each with probability 1/n. Fewer bits of evidence than these are
/// not believed, as there may be thousands of symbols.
constexpr std::uint64_t evidence_bits_min = 32;

std::uint64_t magnitude(std::int64_t price) {
    return price < 0 ? -static_cast<std::uint64_t>(price) : static_cast<std::uint64_t>(price);
}

std::uint64_t grid_of(const Book& book) {
    std::uint64_t grid = 0;
    for (const Side side : both_sides) {
        book.ladders[side].for_each([&](std::int64_t key, Handle) {
            grid = std::gcd(grid, magnitude(book.price_of(side, key)));
            return grid > static_cast<std::uint64_t>(book.rules.tick);
        });
    }
    return grid;
}

/// The levels of a book of which most are outside of the windows, else 0.
std::uint32_t levels_if_outside(const Book& book) {
    std::uint32_t outside = 0, all = 0;
    for (const Ladder& ladder : book.ladders) {
        outside += ladder.levels_outside_window();
        all += ladder.levels();
    }
    return 2 * outside > all ? all : 0;
}

}  // namespace

std::optional<CoarseGrid> coarse_grid(const Matcher& matcher) {
    std::uint32_t symbol = 0;
    for (const Book& book : matcher.books()) {
        if (const std::uint64_t levels = levels_if_outside(book); levels != 0) {
            const std::uint64_t grid = grid_of(book);
            const auto bits =
                static_cast<std::uint64_t>(std::bit_width(grid / static_cast<std::uint64_t>(book.rules.tick)));
            if (grid != 0 && grid <= INT64_MAX && levels * (bits - 1) >= evidence_bits_min)
                return CoarseGrid{symbol, static_cast<std::int64_t>(grid)};
        }
        ++symbol;
    }
    return std::nullopt;
}

void warn_of_grid(OwnedMatcher& matcher) {
    matcher.grid_checked = true;
    const std::optional<CoarseGrid> found = coarse_grid(matcher);
    if (!found) return;
    const std::int64_t tick = matcher.books()[found->symbol].rules.tick;
    nb::module_::import_("lowlat.engine.matching.price_grid").attr("warn")(found->symbol, tick, found->grid);
}

}  // namespace lowlat
