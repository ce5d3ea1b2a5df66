// Low-level Python bindings of the engine; engine/matching/native.py adds names, defaults and validation.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/native/bindings/process.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/py_side.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/journal/writer.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/order_rows.hpp"
#include "engine/native/matching/store_memory.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Raises ValueError for sizes that an engine would divide by or index with.
void check_sizes(const EngineConfig& config) {
    const bool divisible =
        std::ranges::all_of(config.symbols, [](const SymbolRules& rules) { return rules.tick > 0 && rules.lot > 0; });
    if (divisible && !config.symbols.empty() && config.orders > 0 && config.trades > 0) return;
    throw nb::value_error("an engine has symbols, orders and trades; a tick and a lot are 1 or more");
}

EngineConfig settings_from(nb::handle rules, std::uint32_t orders, std::uint64_t trades, int orders_dry,
                           int trades_dry) {
    const PyBuffer<const SymbolRules> rows(rules);
    EngineConfig config{
        .symbols = {rows.data(), rows.data() + rows.size()},
        .orders = orders,
        .trades = trades,
        .when_orders_dry = static_cast<PoolPolicy>(orders_dry),
        .when_trades_dry = static_cast<PoolPolicy>(trades_dry),
    };
    check_sizes(config);
    return config;
}

/// Raises ValueError for a number without a book.
std::uint32_t known_symbol(const OwnedMatcher& matcher, std::uint32_t symbol) {
    if (symbol < matcher.symbols()) return symbol;
    const std::string text = "symbol " + std::to_string(symbol) + " is unknown; this engine holds 0.." +
                             std::to_string(matcher.symbols() - 1);
    throw nb::value_error(text.c_str());
}

std::uint64_t depth(OwnedMatcher& matcher, std::uint32_t symbol, nb::handle levels, std::uint32_t side) {
    const ExclusiveUse claim(matcher);
    const std::uint32_t book = known_symbol(matcher, symbol);
    const Side of = side_from(side);
    const PyBuffer<LevelRow> out(levels);
    std::uint64_t count = 0;
    if (out.size() == 0) return count;
    matcher.for_each_level(book, of, [&](const LevelRow& row) {
        out.data()[count++] = row;
        return count < out.size();
    });
    return count;
}

std::uint64_t orders(OwnedMatcher& matcher, std::uint32_t symbol, nb::handle rows) {
    const ExclusiveUse claim(matcher);
    const PyBuffer<OrderRow> out(rows);
    std::uint64_t count = 0;
    for_each_order(matcher, known_symbol(matcher, symbol), [&](const OrderRow& row) {
        if (count < out.size()) out.data()[count++] = row;
    });
    return count;
}

std::uint64_t stops(OwnedMatcher& matcher, std::uint32_t symbol, nb::handle rows) {
    const ExclusiveUse claim(matcher);
    const PyBuffer<StopRow> out(rows);
    std::uint64_t count = 0;
    for_each_stop(matcher, known_symbol(matcher, symbol), [&](const StopRow& row) {
        if (count < out.size()) out.data()[count++] = row;
    });
    return count;
}

/// Price, volume and imbalance of an uncross at this moment.
std::optional<std::tuple<std::int64_t, std::uint64_t, std::int64_t>> indicative(OwnedMatcher& matcher,
                                                                                std::uint32_t symbol) {
    const ExclusiveUse claim(matcher);
    CrossedLevels levels;
    const std::optional<Uncross> found = find_uncross(matcher, known_symbol(matcher, symbol), levels);
    if (!found) return std::nullopt;
    return std::tuple(found->price, found->volume, found->imbalance);
}

std::uint64_t trades(OwnedMatcher& matcher, nb::handle rows) {
    const ExclusiveUse claim(matcher);
    const PyBuffer<Trade> out(rows);
    std::uint64_t count = 0;
    matcher.tape().for_each([&](const Trade& trade) {
        if (count < out.size()) out.data()[count++] = trade;
    });
    return count;
}

std::uint32_t live_orders(OwnedMatcher& matcher) {
    const ExclusiveUse claim(matcher);
    return matcher.live_orders();
}

std::uint64_t drain_trades(OwnedMatcher& matcher, JournalWriter* journal) {
    const ExclusiveUse claim(matcher);
    if (journal != nullptr) journal->append_drain();
    return matcher.drain_tape();
}

void reset(OwnedMatcher& matcher) {
    const Claim claim(matcher);
    matcher.interrupted.reset();
    matcher.reset();
    matcher.broken = false;
}

void check(OwnedMatcher& matcher) {
    const ExclusiveUse claim(matcher);
    check_invariants(matcher);
}

std::map<std::string, std::uint64_t> counters(OwnedMatcher& matcher) {
    const ExclusiveUse claim(matcher);
    return {
        {"commands", matcher.sequence()},
        {"trades", matcher.trades()},
        {"live_orders", matcher.live_orders()},
        {"order_refusals", matcher.order_refusals()},
        {"trade_refusals", matcher.trade_refusals()},
        {"trades_held", matcher.tape().held()},
        {"trades_recycled", matcher.tape().recycled()},
        {"growths", matcher.growths()},
        {"index_rehashes", matcher.index().seed()},
    };
}

/// Purpose, address, bytes, whether huge pages were requested, errno of mlock.
using Part = std::tuple<std::string, std::uintptr_t, std::size_t, bool, int>;

std::vector<Part> memory(OwnedMatcher& matcher) {
    const ExclusiveUse claim(matcher);
    std::vector<Part> parts;
    matcher.for_each_region([&](const char* part, const LockedRegion& region) {
        parts.emplace_back(part, reinterpret_cast<std::uintptr_t>(region.start()), region.touched(),
                           region.huge_asked(), region.lock_error());
    });
    return parts;
}

}  // namespace

void register_engine(const nb::module_& m) {
    translate_to<EngineBusyError>("BusyError");
    translate_to<EngineBrokenError>("NotValidError");
    translate_bad_alloc();
    nb::class_<OwnedMatcher>(m, "Matcher")
        .def(
            "__init__",
            [](OwnedMatcher* self, nb::handle rules, std::uint32_t orders_max, std::uint64_t trades_max, int orders_dry,
               int trades_dry) {
                new (self) OwnedMatcher(settings_from(rules, orders_max, trades_max, orders_dry, trades_dry));
            },
            nb::arg("rules"), nb::arg("orders"), nb::arg("trades"), nb::arg("when_orders_dry"),
            nb::arg("when_trades_dry"))
        .def_static("pool_bytes", &StoreMemory::bytes_for, nb::arg("symbols"), nb::arg("orders"), nb::arg("trades"))
        .def("process", &process, nb::arg("commands"), nb::arg("release_from"), nb::arg("journal").none() = nb::none())
        .def("take_interrupted", &take_interrupted)
        .def("depth", &depth, nb::arg("symbol"), nb::arg("levels"), nb::arg("side"))
        .def("orders", &orders, nb::arg("symbol"), nb::arg("rows"))
        .def("stops", &stops, nb::arg("symbol"), nb::arg("rows"))
        .def("indicative", &indicative, nb::arg("symbol"))
        .def("trades", &trades, nb::arg("rows"))
        .def_prop_ro("live_orders", &live_orders)
        .def("drain_trades", &drain_trades, nb::arg("journal").none() = nb::none())
        .def("reset", &reset)
        .def("check_invariants", &check)
        .def("counters", &counters)
        .def("memory", &memory);
}

}  // namespace lowlat
