// Low-level Python bindings of price sums and level updates; engine/analytics validates and assembles.
#include <nanobind/nanobind.h>

#include "engine/native/analytics/level_updates.hpp"
#include "engine/native/analytics/vwap.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_column.hpp"
#include "engine/native/bindings/register.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

nb::tuple digits_of(const Digits& digits) {
    return nb::make_tuple(digits[0], digits[1], digits[2], digits[3], digits[4], digits[5]);
}

nb::tuple to_tuple(const PriceSums& sums) {
    return nb::make_tuple(digits_of(sums.products), digits_of(sums.quantities));
}

template <typename Element>
Strided strided(const PyColumn<Element>& column) {
    return {column.start(), column.stride()};
}

template <typename Quantity>
nb::tuple price_sums(nb::handle prices, nb::handle quantities) {
    const PyColumn<std::int64_t> price(prices);
    const PyColumn<Quantity> quantity(quantities);
    if (price.size() != quantity.size()) throw nb::buffer_error("columns of different length");
    constexpr auto sum = sizeof(Quantity) == sizeof(std::uint32_t) ? &sum_prices32 : &sum_prices64;
    PriceSums sums;
    {
        const nb::gil_scoped_release released;
        sums = sum(strided(price), strided(quantity), price.size());
    }
    return to_tuple(sums);
}

nb::tuple trade_sums(nb::handle prices, nb::handle quantities, nb::handle kinds) {
    const PyColumn<std::int64_t> price(prices);
    const PyColumn<std::uint32_t> quantity(quantities);
    const PyColumn<std::uint8_t> kind(kinds);
    if (price.size() != quantity.size() || price.size() != kind.size()) {
        throw nb::buffer_error("columns of different length");
    }
    PriceSums sums;
    {
        const nb::gil_scoped_release released;
        sums = sum_trades({.prices = strided(price), .quantities = strided(quantity), .kinds = strided(kind)},
                          price.size());
    }
    return to_tuple(sums);
}

nb::tuple apply_level_updates(nb::handle levels, nb::handle updates, nb::handle out, bool buy, bool insert) {
    const PyBuffer<const LevelRow> from(levels);
    const PyBuffer<const LevelUpdate> changes(updates);
    const PyBuffer<LevelRow> to(out);
    if (to.size() < from.size() + (insert ? changes.size() : 0)) throw nb::buffer_error("too few levels in the array");
    LevelOutcome outcome;
    {
        const nb::gil_scoped_release released;
        LevelUpdates walk({from.data(), from.size()}, {changes.data(), changes.size()}, buy ? Side::buy : Side::sell,
                          to.data());
        outcome = walk.apply(insert);
    }
    return nb::make_tuple(outcome.count, static_cast<int>(outcome.trouble), outcome.price);
}

}  // namespace

void register_prices(nb::module_& m) {
    m.def("price_sums32", &price_sums<std::uint32_t>, nb::arg("prices"), nb::arg("quantities"),
          nb::sig("def price_sums32(prices: object, quantities: object) -> "
                  "tuple[tuple[int, ...], tuple[int, ...]]"));
    m.def("price_sums64", &price_sums<std::uint64_t>, nb::arg("prices"), nb::arg("quantities"),
          nb::sig("def price_sums64(prices: object, quantities: object) -> "
                  "tuple[tuple[int, ...], tuple[int, ...]]"));
    m.def("trade_sums", &trade_sums, nb::arg("prices"), nb::arg("quantities"), nb::arg("kinds"),
          nb::sig("def trade_sums(prices: object, quantities: object, kinds: object) -> "
                  "tuple[tuple[int, ...], tuple[int, ...]]"));
    m.def("apply_level_updates", &apply_level_updates, nb::arg("levels"), nb::arg("updates"), nb::arg("out"),
          nb::arg("buy"), nb::arg("insert"),
          nb::sig("def apply_level_updates(levels: object, updates: object, out: object, buy: bool, insert: bool) "
                  "-> tuple[int, int, int]"));
}

}  // namespace lowlat
