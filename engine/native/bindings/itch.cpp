// Low-level Python bindings of the ITCH decoder; engine/flow/readers/itch reads files with it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/feed/itch_stream.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

enum class ItchFraming : std::uint8_t { bare, prefixed, pcap, pcapng };

ItchStream::Framing framing_of(ItchFraming framing) {
    switch (framing) {
        case ItchFraming::bare:
            return BareFraming{};
        case ItchFraming::prefixed:
            return PrefixedFraming{};
        case ItchFraming::pcap:
            return PcapFraming{};
        default:
            return PcapngFraming{};
    }
}

void make_stream(ItchStream* memory, ItchFraming framing, const std::vector<std::string>& symbols,
                 std::optional<std::uint64_t> until) {
    ItchSymbols wanted(std::unordered_set<std::string>(symbols.begin(), symbols.end()));
    new (memory) ItchStream(framing_of(framing), ItchDecoder(std::move(wanted), until.value_or(ItchDecoder::day_ns)));
}

/// How many of the bytes from `start` are used up, and how many events are written.
std::tuple<std::size_t, std::size_t> decode(ItchStream& stream, nb::handle data, std::size_t start, nb::handle events) {
    const PyBuffer<const std::byte> bytes(data);
    const PyBuffer<OrderEvent> room(events);
    if (room.size() < ItchStream::events_min) throw nb::buffer_error("fewer events than a packet may have");
    if (start > bytes.size()) throw nb::buffer_error("the start is behind the end");
    const nb::gil_scoped_release released;
    EventBlock block{room.data(), room.data() + room.size()};
    const std::size_t used = stream.decode(std::span(bytes.data(), bytes.size()).subspan(start), block);
    return {used, static_cast<std::size_t>(block.next - room.data())};
}

/// What waited for bytes that do not come: how many events are written. To be called until there are none.
std::size_t finish(ItchStream& stream, nb::handle events) {
    const PyBuffer<OrderEvent> room(events);
    if (room.size() < ItchStream::events_min) throw nb::buffer_error("fewer events than a packet may have");
    EventBlock block{room.data(), room.data() + room.size()};
    stream.finish(block);
    return static_cast<std::size_t>(block.next - room.data());
}

using Fault = std::tuple<std::uint64_t, std::uint64_t, std::string, std::string>;

/// Offset, row, field and problem of what ended the reading.
std::optional<Fault> fault_of(const ItchStream& stream) {
    const std::optional<FeedFault>& fault = stream.decoder().fault();
    if (!fault) return std::nullopt;
    return Fault{fault->offset, fault->row, fault->field, fault->problem};
}

std::vector<std::string> symbols_from(const ItchStream& stream, std::size_t first) {
    const std::vector<std::string>& names = stream.decoder().symbols().names();
    if (first > names.size()) throw nb::value_error("there are not so many symbols");
    return {names.begin() + static_cast<std::ptrdiff_t>(first), names.end()};
}

/// Messages by the number of their type, where there are any.
std::map<unsigned, std::uint64_t> messages_of(const ItchStream& stream) {
    std::map<unsigned, std::uint64_t> found;
    const auto& messages = stream.decoder().counts().messages;
    for (unsigned type = 0; type < messages.size(); ++type)
        if (messages[type] != 0) found[type] = messages[type];
    return found;
}

/// All other counts, by name.
std::map<std::string, std::uint64_t> counts_of(ItchStream& stream) {
    const ItchCounts& counts = stream.decoder().counts();
    std::map<std::string, std::uint64_t> found{{"other_symbols", counts.other_symbols},
                                               {"empty_crosses", counts.empty_crosses},
                                               {"other_halts", counts.other_halts},
                                               {"times_back", counts.times_back},
                                               {"renamed", stream.decoder().symbols().renamed()}};
    if (const CapturedPackets* packets = stream.captured()) {
        const MoldCounts& mold = packets->mold_counts();
        found.insert({{"cut_packets", packets->counts().cut},
                      {"fragments", packets->counts().fragments},
                      {"other_packets", packets->counts().others},
                      {"heartbeats", mold.heartbeats},
                      {"session_ends", mold.session_ends},
                      {"other_sessions", mold.other_sessions},
                      {"reordered", mold.reordered},
                      {"gaps", mold.gaps},
                      {"lost", mold.lost},
                      {"repeated", mold.repeated}});
    }
    return found;
}

/// Type, bytes and name of every message.
std::vector<std::tuple<std::string, std::uint32_t, std::string>> itch_messages() {
    std::vector<std::tuple<std::string, std::uint32_t, std::string>> all;
    all.reserve(itch::layouts.size());
    for (const itch::Layout& layout : itch::layouts)
        all.emplace_back(std::string(1, layout.type), layout.bytes, layout.name);
    return all;
}

}  // namespace

void register_itch(nb::module_& m) {
    nb::enum_<ItchFraming>(m, "ItchFraming")
        .value("BARE", ItchFraming::bare)
        .value("PREFIXED", ItchFraming::prefixed)
        .value("PCAP", ItchFraming::pcap)
        .value("PCAPNG", ItchFraming::pcapng);
    nb::class_<ItchStream>(m, "ItchStream")
        .def("__init__", &make_stream, nb::arg("framing"), nb::arg("symbols"), nb::arg("until_ns").none())
        .def("decode", &decode, nb::arg("data"), nb::arg("start"), nb::arg("events"))
        .def("finish", &finish, nb::arg("events"))
        .def("symbols_from", &symbols_from, nb::arg("first"))
        .def("messages", &messages_of)
        .def("counts", &counts_of)
        .def_prop_ro("ended", &ItchStream::ended)
        .def_prop_ro("fault", &fault_of)
        .def_prop_ro("rows", [](const ItchStream& stream) { return stream.decoder().rows(); })
        .def_prop_ro("symbols_named", [](const ItchStream& stream) { return stream.decoder().symbols().named(); })
        .def_prop_ro("reached_until", [](const ItchStream& stream) { return stream.decoder().reached_until(); })
        .def_prop_ro("ended_messages", [](const ItchStream& stream) { return stream.decoder().ended_messages(); });
    m.attr("ITCH_EVENTS_MIN") = ItchStream::events_min;
    m.def("itch_messages", &itch_messages);
}

}  // namespace lowlat
