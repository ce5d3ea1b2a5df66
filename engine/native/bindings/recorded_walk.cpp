// Low-level Python binding of the walk over a recording; engine/flow/recording/walk.py gives it columns and reads what
// it leaves behind.
#include "engine/native/flow/recording/recorded_walk.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/flow/recording/recorded_log.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Integers of one width, held as long as the walk.
using Held = std::unique_ptr<PyBuffer<const std::byte>>;

/// A walk with the arrays that it reads.
class OwnedWalk {
  public:
    OwnedWalk(const std::vector<nb::handle>& columns, nb::handle unseen, nb::handle aggressors, std::uint64_t first_id,
              bool by_arrival)
        : walk_(events_of(columns), unseen_of(unseen), ids_of(aggressors), first_id, by_arrival) {}

    void compare_with(nb::handle wider, nb::handle displayed, std::int64_t levels) {
        wider_ = std::make_unique<PyBuffer<const std::int64_t>>(wider);
        displayed_ = std::make_unique<PyBuffer<const std::int64_t>>(displayed);
        if (levels < 1 || displayed_->size() / 4 / static_cast<std::uint64_t>(levels) < wider_->size())
            throw nb::buffer_error("fewer rows displayed than named");
        walk_.compare_with(wider_->data(), static_cast<std::int64_t>(wider_->size()), displayed_->data(), levels);
    }

    std::int64_t run(std::int64_t milliseconds) {
        const nb::gil_scoped_release released;
        return walk_.run(std::chrono::milliseconds(milliseconds));
    }

    /// No event is read any more: let go of the columns.
    void release() {
        held_.clear();
        wider_.reset();
        displayed_.reset();
    }

    RecordedWalk& walk() { return walk_; }

  private:
    const RecordedEvents& events_of(const std::vector<nb::handle>& columns) {
        EventColumn* const into[] = {&events_.action, &events_.order_id, &events_.price,   &events_.quantity,
                                     &events_.side,   &events_.flags,    &events_.time_ns, &events_.other_id,
                                     &events_.last,   &events_.again};
        if (columns.size() != std::size(into)) throw nb::value_error("another number of columns");
        for (std::size_t at = 0; at < columns.size(); ++at) {
            held_.push_back(std::make_unique<PyBuffer<const std::byte>>(columns[at]));
            const PyBuffer<const std::byte>& column = *held_.back();
            const auto rows = static_cast<std::int64_t>(column.size() / column.itemsize());
            if (at != 0 && rows != events_.size) throw nb::value_error("columns of several lengths");
            events_.size = rows;
            *into[at] = EventColumn(column.data(), column.itemsize(), into[at] == &events_.price);
        }
        return events_;
    }

    static std::vector<UnseenOrder> unseen_of(nb::handle rows) {
        const PyBuffer<const UnseenOrder> orders(rows);
        return {orders.data(), orders.data() + orders.size()};
    }

    static std::unordered_set<std::uint64_t> ids_of(nb::handle rows) {
        const PyBuffer<const std::uint64_t> ids(rows);
        return {ids.data(), ids.data() + ids.size()};
    }

    std::vector<Held> held_;
    RecordedEvents events_;
    std::unique_ptr<PyBuffer<const std::int64_t>> wider_, displayed_;
    RecordedWalk walk_;
};

/// The key of each logged command.
void keys(OwnedWalk& walk, nb::handle keys) {
    const PyBuffer<std::uint64_t> into(keys);
    const RecordedCommands& log = walk.walk().market().log();
    if (into.size() < log.size() || !log.is_whole()) throw nb::buffer_error("less room than commands");
    for (std::uint64_t at = 0; at < log.size(); ++at) into.data()[at] = log[at].key;
}

/// The order ids of the logged commands at these places.
void ids(OwnedWalk& walk, nb::handle places, nb::handle ids) {
    const PyBuffer<const std::int64_t> of(places);
    const PyBuffer<std::uint64_t> into(ids);
    const RecordedCommands& log = walk.walk().market().log();
    if (into.size() < of.size() || !log.is_whole()) throw nb::buffer_error("less room than places");
    for (std::uint64_t at = 0; at < of.size(); ++at) {
        const auto place = static_cast<std::uint64_t>(of.data()[at]);
        if (place >= log.size()) throw nb::buffer_error("no such place");
        into.data()[at] = log[place].order_id;
    }
}

/// How many commands a part has; it is gone afterward.
std::uint64_t take_part(OwnedWalk& walk, std::uint64_t number, nb::handle commands) {
    const PyBuffer<LoggedCommand> out(commands);
    RecordedCommands& log = walk.walk().market().log();
    if (!log.has_part(number) || out.size() < RecordedCommands::part_commands)
        throw nb::buffer_error("no such part, or less room than it has");
    return log.take_part(number, out.data());
}

std::tuple<std::uint64_t, std::uint64_t> burst_sizes(OwnedWalk& walk) {
    const BurstLog& log = walk.walk().bursts().log();
    return {log.commands.size(), log.fills.size()};
}

void bursts(OwnedWalk& walk, nb::handle commands, nb::handle counts, nb::handle fills) {
    const PyBuffer<std::int64_t> into(commands), of(counts);
    const PyBuffer<RecordedFill> filled(fills);
    const BurstLog& log = walk.walk().bursts().log();
    if (into.size() < log.commands.size() || of.size() < log.counts.size() || filled.size() < log.fills.size())
        throw nb::buffer_error("less room than bursts");
    std::copy(log.commands.begin(), log.commands.end(), into.data());
    std::copy(log.counts.begin(), log.counts.end(), of.data());
    std::copy(log.fills.begin(), log.fills.end(), filled.data());
}

using Fills = std::vector<std::tuple<std::uint64_t, std::int64_t, std::uint64_t>>;

Fills rows_of(const RecordedFills& fills) {
    Fills rows;
    for (const RecordedFill& fill : fills) rows.emplace_back(fill.maker, fill.price, fill.quantity);
    return rows;
}

/// Of each auction that an engine settles, the place of its command, and the fills of bids and of asks.
std::vector<std::tuple<std::int64_t, Fills, Fills>> auctions(OwnedWalk& walk) {
    std::vector<std::tuple<std::int64_t, Fills, Fills>> all;
    for (const SettledAuction& auction : walk.walk().auctions().log())
        all.emplace_back(auction.command, rows_of(auction.fills[0]), rows_of(auction.fills[1]));
    return all;
}

/// How often each `Change` was made, in their order, and then the most orders that rested.
std::vector<std::uint64_t> changes(OwnedWalk& walk) {
    const RecordedChanges& found = walk.walk().market().changes();
    std::vector<std::uint64_t> counts(found.counts.begin(), found.counts.end());
    counts.push_back(found.orders);
    return counts;
}

/// Of a burst that is too large: its first event, and the sum of its fills.
std::optional<std::tuple<std::int64_t, std::uint64_t>> too_much(OwnedWalk& walk) {
    const auto& found = walk.walk().bursts().too_much();
    if (!found) return std::nullopt;
    return std::tuple{found->event, found->quantity};
}

}  // namespace

// NOLINTNEXTLINE(misc-const-correctness): m.attr() is assigned to
void register_recorded_walk(nb::module_& m) {
    nb::class_<OwnedWalk>(m, "RecordedWalk", "See lowlat.engine.flow.recording.walk.")
        .def(nb::init<const std::vector<nb::handle>&, nb::handle, nb::handle, std::uint64_t, bool>(),
             nb::arg("columns"), nb::arg("unseen"), nb::arg("aggressors"), nb::arg("first_id"), nb::arg("by_arrival"))
        .def("compare_with", &OwnedWalk::compare_with, nb::arg("wider"), nb::arg("displayed"), nb::arg("levels"))
        .def("run", &OwnedWalk::run, nb::arg("milliseconds"))
        .def("release", &OwnedWalk::release)
        .def("commands", [](OwnedWalk& walk) { return walk.walk().market().log().size(); })
        .def("keys", &keys, nb::arg("keys"))
        .def("ids", &ids, nb::arg("places"), nb::arg("ids"))
        .def("take_part", &take_part, nb::arg("number"), nb::arg("commands"))
        .def("burst_sizes", &burst_sizes)
        .def("bursts", &bursts, nb::arg("commands"), nb::arg("counts"), nb::arg("fills"))
        .def("auctions", &auctions)
        .def("changes", &changes)
        .def("too_much", &too_much);
    m.attr("RECORDED_PART_COMMANDS") = static_cast<std::uint64_t>(RecordedCommands::part_commands);
}

}  // namespace lowlat
