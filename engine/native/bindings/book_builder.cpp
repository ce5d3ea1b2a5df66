// Low-level Python binding of the book builder; engine/feed/book_builder.py adds names, defaults and validation.
#include "engine/native/feed/book_builder.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "engine/native/bench/timed_events.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_side.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/feed/depth_recorder.hpp"
#include "engine/native/feed/shown_levels.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/order_rows.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// A builder with a flag for whether it is in use.
class OwnedBuilder : public BookBuilder {
  public:
    using BookBuilder::BookBuilder;
    std::atomic_flag busy;
};

/// How many events were applied: all, or those before the first with a fault.
std::uint64_t apply(OwnedBuilder& builder, nb::handle events) {
    const PyBuffer<const OrderEvent> in(events);
    const Claim claim(builder.busy);
    const nb::gil_scoped_release released;
    NoWitness witness;
    return builder.apply_all({in.data(), in.size()}, witness);
}

/// How many events were applied, and how many states recorded.
// NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a number of levels, and a moment
std::tuple<std::uint64_t, std::uint64_t> record(OwnedBuilder& builder, nb::handle events, std::uint32_t levels,
                                                int when, nb::handle states, nb::handle numbers) {
    const PyBuffer<const OrderEvent> in(events);
    const PyBuffer<std::int64_t> rows(states);
    const PyBuffer<std::int64_t> of(numbers);
    if (of.size() < in.size() || rows.size() / ShownLevels::columns / levels < in.size())
        throw nb::buffer_error("less room than events");
    const Claim claim(builder.busy);
    const nb::gil_scoped_release released;
    StateLog log(static_cast<DepthMoment>(when), rows.data(), of.data());
    std::uint64_t applied = 0;
    if (levels == 1) {
        BestRecorder recorder(builder, log);
        applied = builder.apply_all({in.data(), in.size()}, recorder);
    } else {
        DepthRecorder recorder(builder, levels, log);
        applied = builder.apply_all({in.data(), in.size()}, recorder);
    }
    return {applied, log.recorded()};
}

/// The same, one event at a time; what each took goes to `ticks`.
std::uint64_t apply_each(OwnedBuilder& builder, nb::handle events, nb::handle ticks) {
    const PyBuffer<const OrderEvent> in(events);
    const PyBuffer<std::uint64_t> out(ticks);
    if (out.size() < in.size()) throw nb::buffer_error("less room than events");
    const Claim claim(builder.busy);
    const nb::gil_scoped_release released;
    return apply_timed(builder, {in.data(), in.size()}, out.data());
}

std::uint64_t depth(OwnedBuilder& builder, std::uint32_t symbol, nb::handle levels, std::uint32_t side) {
    const Claim claim(builder.busy);
    const Side of = side_from(side);
    const PyBuffer<LevelRow> out(levels);
    std::uint64_t count = 0;
    if (out.size() == 0 || symbol >= builder.symbols()) return count;
    builder.for_each_level(symbol, of, [&](const LevelRow& row) {
        out.data()[count++] = row;
        return count < out.size();
    });
    return count;
}

std::uint64_t orders(OwnedBuilder& builder, std::uint32_t symbol, nb::handle rows) {
    const Claim claim(builder.busy);
    const PyBuffer<OrderRow> out(rows);
    std::uint64_t count = 0;
    if (symbol >= builder.symbols()) return count;
    for_each_order(builder, symbol, [&](const OrderRow& row) {
        if (count < out.size()) out.data()[count++] = row;
    });
    return count;
}

/// Side, price, quantity, orders and quantity ahead of it in its queue.
using Position = std::tuple<std::uint32_t, std::int64_t, std::uint32_t, std::uint32_t, std::uint64_t>;

std::optional<Position> look_up(OwnedBuilder& builder, std::uint64_t id, std::uint32_t symbol) {
    const Claim claim(builder.busy);
    if (symbol >= builder.symbols()) return std::nullopt;
    const auto found = builder.look_up(id, symbol);
    if (!found) return std::nullopt;
    const OrderBody& order = builder.order(found->order);
    return Position{byte_of(order.side), builder.limit_of(builder.books()[symbol], found->order), order.quantity,
                    found->orders_ahead, found->quantity_ahead};
}

std::map<std::string, std::uint64_t> counters(OwnedBuilder& builder) {
    const Claim claim(builder.busy);
    const BuilderCounts& counts = builder.counts();
    return {
        {"live_orders", builder.live_orders()}, {"levels", builder.levels()},
        {"live_orders_max", counts.orders_max}, {"levels_max", counts.levels_max},
        {"overfilled", counts.overfilled},      {"repeated_ids", counts.repeated},
        {"empty_orders", counts.empty},
    };
}

/// Events by action, and of these, those of an order that was not there.
using ByAction = std::array<std::uint64_t, BuilderCounts::actions>;
std::tuple<ByAction, ByAction> events(OwnedBuilder& builder) {
    const Claim claim(builder.busy);
    return {builder.counts().events, builder.counts().unknown};
}

void reset(OwnedBuilder& builder) {
    const Claim claim(builder.busy);
    builder.restart();
}

void check(OwnedBuilder& builder) {
    const Claim claim(builder.busy);
    check_invariants(builder, Crossing::always);
}

}  // namespace

void register_book_builder(const nb::module_& m) {
    m.attr("BOOKS_MAX") = BookBuilder::symbols_limit;
    nb::class_<OwnedBuilder>(m, "BookBuilder")
        .def(nb::init<std::uint32_t>(), nb::arg("orders"))
        .def("apply", &apply, nb::arg("events"))
        .def("record", &record, nb::arg("events"), nb::arg("levels"), nb::arg("when"), nb::arg("states"),
             nb::arg("numbers"))
        .def("apply_timed", &apply_each, nb::arg("events"), nb::arg("ticks"))
        .def("fault", [](const OwnedBuilder& builder) { return static_cast<int>(builder.fault()); })
        .def("depth", &depth, nb::arg("symbol"), nb::arg("levels"), nb::arg("side"))
        .def("orders", &orders, nb::arg("symbol"), nb::arg("rows"))
        .def("look_up", &look_up, nb::arg("order_id"), nb::arg("symbol"))
        .def("counters", &counters)
        .def("events", &events)
        .def("reset", &reset)
        .def("check_invariants", &check);
}

}  // namespace lowlat
