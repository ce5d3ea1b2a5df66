// Rings over memory that Python maps; engine/rings/ring.py adds names, files, timeouts and validation.
#include <nanobind/nanobind.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <variant>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/rings/mpsc_ring.hpp"
#include "engine/native/rings/ring_ownership.hpp"
#include "engine/native/rings/spsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// A record as bytes of any alignment: a Python array may start anywhere.
template <std::size_t size>
struct Bytes {
    static constexpr std::size_t bytes = size;
    std::array<std::byte, size> held;
};

using AnyRing = std::variant<SpscRing<Bytes<32>>, MpscRing<Bytes<32>>, SpscRing<Bytes<64>>, MpscRing<Bytes<64>>>;

/// Python's identification of a type of ring; validated there.
struct RingType {
    std::uint32_t kind;
    std::uint64_t record_bytes;
};

/// Calls `use` with the matching type of ring.
template <typename Use>
auto with_ring_type(RingType meant, Use use) {
    const bool many = meant.kind == static_cast<std::uint32_t>(RingKind::mpsc);
    if (meant.record_bytes == 32) {
        if (many) return use(std::type_identity<MpscRing<Bytes<32>>>{});
        return use(std::type_identity<SpscRing<Bytes<32>>>{});
    }
    if (many) return use(std::type_identity<MpscRing<Bytes<64>>>{});
    return use(std::type_identity<SpscRing<Bytes<64>>>{});
}

/// A view of a ring that keeps its memory alive.
class MappedRing {
  public:
    MappedRing(nb::handle memory, RingType meant)
        : memory_(memory), ring_(with_ring_type(meant, [&](auto type) {
              using Ring = typename decltype(type)::type;
              return AnyRing(Ring(memory_.data()));
          })) {}

    AnyRing& ring() { return ring_; }

  private:
    PyBuffer<std::byte> memory_;
    AnyRing ring_;
};

std::uint64_t ring_bytes(RingType meant, std::uint64_t capacity) {
    return with_ring_type(meant, [&](auto type) { return decltype(type)::type::bytes_for(capacity); });
}

void format_ring(nb::handle memory, RingType meant, std::uint64_t capacity) {
    const PyBuffer<std::byte> block(memory);
    if (block.size() < ring_bytes(meant, capacity)) throw nb::buffer_error("the memory is too short");
    with_ring_type(meant, [&](auto type) { decltype(type)::type::format(block.data(), capacity); });
}

int ring_fault(nb::handle memory, std::uint32_t kind, std::uint64_t record_bytes) {
    const PyBuffer<std::byte> block(memory);
    return static_cast<int>(with_ring_type(
        {kind, record_bytes}, [&](auto type) { return decltype(type)::type::fault(block.data(), block.size()); }));
}

/// Version, kind, record size and capacity from the header.
std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t> ring_header(nb::handle memory) {
    const PyBuffer<std::byte> block(memory);
    if (block.size() < sizeof(RingHeader)) throw nb::buffer_error("the memory is too short");
    const auto& header = *reinterpret_cast<const RingHeader*>(block.data());
    return {header.version, static_cast<std::uint32_t>(header.kind), header.record_bytes, header.capacity};
}

/// Below this, copying costs less than releasing the GIL.
constexpr std::uint64_t bytes_worth_unlocking = 16'384;

auto until(std::int64_t slice_ns) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(slice_ns);
    return [end] { return std::chrono::steady_clock::now() < end; };
}

/// Multiple producers need no exclusive turn.
struct NoTurn {
    NoTurn(RingIndex& /*word*/, const char* /*act*/) {}
};

template <typename Ring>
using ProducerTurn = std::conditional_t<Ring::kind == RingKind::spsc, RingOwnership, NoTurn>;

/// How to wait for the other end, and the maximum time.
struct Slice {
    WaitStrategy wait;
    std::int64_t ns;
};

/// Pushes `records` from index `start` on, waiting at most one slice. Returns the number pushed.
std::uint64_t push(MappedRing& mapped, nb::handle records, std::uint64_t start, Slice slice) {
    return std::visit(
        [&]<typename Ring>(Ring& ring) -> std::uint64_t {
            using Record = typename Ring::record_type;
            const PyBuffer<const Record> in(records);
            if (start >= in.size()) return 0;
            const std::uint64_t count = in.size() - start;
            const ProducerTurn<Ring> turn(ring.header().producer_turn, "pushing");
            const Record* from = in.data() + start;
            std::uint64_t done = 0;
            if (count * sizeof(Record) < bytes_worth_unlocking) done = ring.try_push(from, count);
            if (done == count) return done;
            const nb::gil_scoped_release released;
            return done + push_waiting(ring, from + done, count - done, slice.wait, until(slice.ns));
        },
        mapped.ring());
}

/// What pop() returns if there are no records.
enum class NoRecords : std::int64_t { yet = 0, any_more = -1, behind_a_stall = -2 };

/// Fills `records` from index `start` on, waiting at most one slice for the first. Returns how many, or why none.
std::int64_t pop(MappedRing& mapped, nb::handle records, std::uint64_t start, Slice slice) {
    return std::visit(
        [&]<typename Ring>(Ring& ring) -> std::int64_t {
            using Record = typename Ring::record_type;
            const PyBuffer<Record> out(records);
            if (start >= out.size()) return 0;
            const std::uint64_t count = out.size() - start;
            const RingOwnership turn(ring.header().consumer_turn, "popping");
            Record* to = out.data() + start;
            std::uint64_t taken = 0;
            if (count * sizeof(Record) < bytes_worth_unlocking) taken = ring.try_pop(to, count);
            if (taken == 0) {
                const nb::gil_scoped_release released;
                taken = pop_waiting(ring, to, count, slice.wait, until(slice.ns));
            }
            if (taken != 0) return static_cast<std::int64_t>(taken);
            if (ring.finished()) return static_cast<std::int64_t>(NoRecords::any_more);
            return static_cast<std::int64_t>(ring.stalled() ? NoRecords::behind_a_stall : NoRecords::yet);
        },
        mapped.ring());
}

}  // namespace

void register_rings(nb::module_& m) {
    translate_to<RingBusyError>("BusyError");
    m.attr("RING_CAPACITY_MAX") = ring_capacity_max;
    m.attr("ORDER_RING_CAPACITY") = order_ring_capacity;
    m.attr("MARKET_DATA_RING_CAPACITY") = market_data_ring_capacity;
    m.attr("RING_VERSION") = RingHeader::version_now;
    m.def(
        "ring_bytes",
        [](std::uint32_t kind, std::uint64_t record_bytes, std::uint64_t capacity) {
            return ring_bytes({kind, record_bytes}, capacity);
        },
        nb::arg("kind"), nb::arg("record_bytes"), nb::arg("capacity"));
    m.def(
        "format_ring",
        [](nb::handle memory, std::uint32_t kind, std::uint64_t record_bytes, std::uint64_t capacity) {
            format_ring(memory, {kind, record_bytes}, capacity);
        },
        nb::arg("memory"), nb::arg("kind"), nb::arg("record_bytes"), nb::arg("capacity"));
    m.def("ring_fault", &ring_fault, nb::arg("memory"), nb::arg("kind"), nb::arg("record_bytes"));
    m.def("ring_header", &ring_header, nb::arg("memory"));
    nb::class_<MappedRing>(m, "MappedRing")
        .def(
            "__init__",
            [](MappedRing* self, nb::handle memory, std::uint32_t kind, std::uint64_t record_bytes) {
                new (self) MappedRing(memory, {kind, record_bytes});
            },
            nb::arg("memory"), nb::arg("kind"), nb::arg("record_bytes"))
        .def(
            "push",
            [](MappedRing& mapped, nb::handle records, std::uint64_t start, int wait, std::int64_t slice_ns) {
                return push(mapped, records, start, {static_cast<WaitStrategy>(wait), slice_ns});
            },
            nb::arg("records"), nb::arg("start"), nb::arg("wait"), nb::arg("slice_ns"))
        .def(
            "pop",
            [](MappedRing& mapped, nb::handle records, std::uint64_t start, int wait, std::int64_t slice_ns) {
                return pop(mapped, records, start, {static_cast<WaitStrategy>(wait), slice_ns});
            },
            nb::arg("records"), nb::arg("start"), nb::arg("wait"), nb::arg("slice_ns"))
        .def("close", [](MappedRing& mapped) { std::visit([](auto& ring) { ring.close(); }, mapped.ring()); })
        .def("__len__",
             [](MappedRing& mapped) { return std::visit([](auto& ring) { return ring.size(); }, mapped.ring()); })
        .def_prop_ro(
            "closed",
            [](MappedRing& mapped) { return std::visit([](auto& ring) { return ring.closed(); }, mapped.ring()); })
        .def_prop_ro("capacity", [](MappedRing& mapped) {
            return std::visit([](auto& ring) { return ring.capacity(); }, mapped.ring());
        });
}

}  // namespace lowlat
