// Low-level Python bindings of the mapped book; engine/shared_book creates the files and reports errors.
#include "engine/native/shared_book/mapped_book.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_mapped_book.hpp"
#include "engine/native/bindings/py_side.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/matching/exclusive_use.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/side.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// Levels in an array, as a source for publishing.
struct ArrayLevels {
    PerSide<std::span<const LevelRow>> sides;

    template <typename Visit>
    void for_each_level(std::uint32_t, Side side, Visit visit) const {
        for (const LevelRow& row : sides[side]) {
            if (!visit(row)) return;
        }
    }
};

void format(nb::handle mapping, nb::handle identity) {
    const PyBuffer<std::byte> to(mapping);
    const PyBuffer<const std::byte> from(identity);
    if (from.size() != sizeof(BookIdentity) || to.size() < sizeof(BookHeader))
        throw nb::buffer_error("a book's identity has 128 bytes, its header 256");
    BookIdentity words;
    std::memcpy(static_cast<void*>(&words), from.data(), sizeof words);
    format_book(to.data(), words);
}

bool publish_engine(MappedBookWriter& writer, OwnedMatcher& matcher, std::uint32_t symbol) {
    const ExclusiveUse claim(matcher);
    if (symbol >= matcher.symbols()) throw nb::value_error("this engine has no such symbol");
    return writer.publish(matcher.sequence(), matcher, symbol);
}

bool publish_levels(MappedBookWriter& writer, nb::handle bids, nb::handle asks, std::uint64_t command) {
    const PyBuffer<const LevelRow> buy(bids);
    const PyBuffer<const LevelRow> sell(asks);
    return writer.publish(command, ArrayLevels{{{{buy.data(), buy.size()}, {sell.data(), sell.size()}}}}, 0);
}

void update_level(MappedBookWriter& writer, std::uint32_t side, std::int64_t price, std::uint64_t quantity,
                  std::uint64_t orders) {
    writer.update_level(side_from(side), {price, quantity, orders, 0});
}

/// The stamp, or None if every attempt met an update in progress.
nb::object snapshot(const MappedBookReader& reader, nb::handle bids, nb::handle asks) {
    const PyBuffer<LevelRow> buy(bids);
    const PyBuffer<LevelRow> sell(asks);
    return reader.with_book([&](const BookReader& book) -> nb::object {
        const auto levels =
            static_cast<std::uint32_t>(std::min<std::uint64_t>({buy.size(), sell.size(), book.depth()}));
        BookStamp stamp;
        if (!book.snapshot(levels, buy.data(), sell.data(), stamp)) return nb::none();
        return nb::make_tuple(stamp.sequence, stamp.command, stamp.generation, stamp.pid, stamp.heartbeat,
                              static_cast<std::uint64_t>(stamp.state), stamp.bids, stamp.asks);
    });
}

}  // namespace

void register_mapped_book(nb::module_& m) {
    nb::class_<MappedBookWriter>(m, "BookWriter")
        .def(nb::init<nb::handle, std::uint32_t, std::string>(), nb::arg("mapping"), nb::arg("depth"), nb::arg("name"))
        .def(
            "open",
            [](MappedBookWriter& self, std::uint64_t pid, std::uint64_t start) {
                self.book().open(pid, start);
                self.beat();
            },
            nb::arg("pid"), nb::arg("start"))
        .def(
            "close",
            [](MappedBookWriter& self, std::uint64_t state) { self.book().close(static_cast<BookState>(state)); },
            nb::arg("state"))
        .def("beat", &MappedBookWriter::beat)
        .def("begin", [](MappedBookWriter& self) { self.book().begin(); })
        .def(
            "end", [](MappedBookWriter& self, std::uint64_t command) { self.book().end(command); }, nb::arg("command"))
        .def("update_level", &update_level, nb::arg("side"), nb::arg("price"), nb::arg("quantity"), nb::arg("orders"))
        .def("publish_updates", &MappedBookWriter::publish_updates, nb::arg("command"))
        .def("publish_levels", &publish_levels, nb::arg("bids"), nb::arg("asks"), nb::arg("command"))
        .def("publish_engine", &publish_engine, nb::arg("matcher"), nb::arg("symbol"));
    nb::class_<MappedBookReader>(m, "BookReader")
        .def(nb::init<nb::handle, std::uint32_t, std::string>(), nb::arg("mapping"), nb::arg("depth"), nb::arg("name"))
        .def("snapshot", &snapshot, nb::arg("bids"), nb::arg("asks"),
             nb::sig("def snapshot(self, bids: object, asks: object)"
                     " -> tuple[int, int, int, int, int, int, int, int] | None"))
        .def("sequence",
             [](const MappedBookReader& self) {
                 return self.with_book([](const BookReader& book) { return book.sequence(); });
             })
        .def(
            "unchanged",
            [](const MappedBookReader& self, std::uint64_t sequence) {
                return self.with_book([&](const BookReader& book) { return book.unchanged(sequence); });
            },
            nb::arg("sequence"))
        .def(
            "count",
            [](const MappedBookReader& self, std::uint32_t side) {
                return self.with_book([&](const BookReader& book) { return book.count(side_from(side)); });
            },
            nb::arg("side"));
    m.def("format_book", &format, nb::arg("mapping"), nb::arg("identity"));
    m.attr("BOOK_MAGIC") = book_magic;
    m.attr("BOOK_VERSION") = book_version;
    m.attr("BOOK_DEPTH_MAX") = book_depth_max;
}

}  // namespace lowlat
