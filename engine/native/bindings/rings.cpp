// Rings over memory that Python maps; engine/rings/ring.py adds names, files, timeouts and validation.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_error.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/platform/guarded_mapping.hpp"
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
    MappedRing(nb::handle memory, RingType meant, std::uint64_t capacity, std::string name)
        : memory_(memory),
          guard_(memory_.data(), memory_.size(), true),
          name_(std::move(name)),
          ring_(view(meant, capacity)),
          party_(*reinterpret_cast<const RingHeader*>(memory_.data())) {}

    /// What `use(ring, party)` returns, unless the ring lost its memory meanwhile.
    template <typename Use>
    auto with_ring(Use use) {
        const auto result = std::visit([&](auto& ring) { return use(ring, party_); }, ring_);
        guard_.check(name_);
        return result;
    }

  private:
    /// The capacity that was checked, not what the header says by now; checked here too, against the memory.
    AnyRing view(RingType meant, std::uint64_t capacity) const {
        return with_ring_type(meant, [&](auto type) {
            using Ring = typename decltype(type)::type;
            if (!ring_capacity_valid(capacity) || memory_.size() < Ring::bytes_for(capacity))
                throw nb::buffer_error("the memory is shorter than a ring of this capacity");
            if (reinterpret_cast<std::uintptr_t>(memory_.data()) % alignof(RingHeader) != 0)
                throw nb::buffer_error("the memory is not aligned");
            return AnyRing(Ring(memory_.data(), capacity));
        });
    }

    PyBuffer<std::byte> memory_;
    GuardedMapping guard_;
    std::string name_;
    AnyRing ring_;
    RingParty party_;
};

std::uint64_t ring_bytes(RingType meant, std::uint64_t capacity) {
    return with_ring_type(meant, [&](auto type) { return decltype(type)::type::bytes_for(capacity); });
}

void format_ring(nb::handle memory, RingType meant, std::uint64_t capacity) {
    const PyBuffer<std::byte> block(memory);
    if (block.size() < ring_bytes(meant, capacity)) throw nb::buffer_error("the memory is too short");
    with_ring_type(meant, [&](auto type) { decltype(type)::type::format(block.data(), capacity); });
}

RingIdentity ring_identity(nb::handle memory) {
    const PyBuffer<const std::byte> block(memory);
    if (block.size() < sizeof(RingHeader)) throw nb::buffer_error("the memory is too short");
    return RingIdentity(block.data());
}

/// Below this, copying costs less than releasing the GIL.
constexpr std::uint64_t bytes_worth_unlocking = 16'384;

auto until(std::int64_t slice_ns) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(slice_ns);
    return [end] { return std::chrono::steady_clock::now() < end; };
}

/// How to wait for the other end, and the maximum time.
struct Slice {
    WaitStrategy wait;
    std::int64_t ns;
};

/// Pushes all from `from`, waiting at most one slice. Returns the number pushed.
template <typename Producer>
std::uint64_t push_as(Producer& producer, const typename Producer::record_type* from, std::uint64_t count,
                      Slice slice) {
    std::uint64_t done = 0;
    if (count * sizeof(*from) < bytes_worth_unlocking) done = producer.try_push(from, count);
    if (done == count) return done;
    const nb::gil_scoped_release released;
    return done + push_waiting(producer, from + done, count - done, slice.wait, until(slice.ns));
}

/// Pushes `records` from index `start` on, waiting at most one slice. Returns the number pushed.
std::uint64_t push(MappedRing& mapped, nb::handle records, std::uint64_t start, Slice slice) {
    return mapped.with_ring([&]<typename Ring>(Ring& ring, const RingParty& party) -> std::uint64_t {
        const PyBuffer<const typename Ring::record_type> in(records);
        if (start >= in.size()) return 0;
        const std::uint64_t count = in.size() - start;
        if constexpr (Ring::kind == RingKind::spsc) {
            const RingOwnership turn(ring.header().producer_turn, party, "pushing");
            return push_as(ring, in.data() + start, count, slice);
        } else {
            MarkedProducer<Ring> producer(ring, party);
            return push_as(producer, in.data() + start, count, slice);
        }
    });
}

/// What pop() returns if there are no records.
enum class NoRecords : std::int64_t { yet = 0, any_more = -1, behind_a_claim = -2, behind_a_dead_claim = -3 };

template <typename Ring>
NoRecords why_none(const Ring& ring, const RingParty& party) {
    if (ring.finished()) return NoRecords::any_more;
    switch (stall_of(ring, party)) {
        case Stall::none:
            return NoRecords::yet;
        case Stall::pending:
            return NoRecords::behind_a_claim;
        case Stall::orphaned:
            break;
    }
    return NoRecords::behind_a_dead_claim;
}

/// Fills `records` from index `start` on, waiting at most one slice for the first. Returns how many, or why none.
std::int64_t pop(MappedRing& mapped, nb::handle records, std::uint64_t start, Slice slice) {
    return mapped.with_ring([&]<typename Ring>(Ring& ring, const RingParty& party) -> std::int64_t {
        const PyBuffer<typename Ring::record_type> out(records);
        if (start >= out.size()) return 0;
        const std::uint64_t count = out.size() - start;
        const RingOwnership turn(ring.header().consumer_turn, party, "popping");
        auto* to = out.data() + start;
        std::uint64_t taken = 0;
        if (count * sizeof(*to) < bytes_worth_unlocking) taken = ring.try_pop(to, count);
        if (taken == 0) {
            const nb::gil_scoped_release released;
            taken = pop_waiting(ring, to, count, slice.wait, until(slice.ns));
        }
        return static_cast<std::int64_t>(taken != 0 ? taken : static_cast<std::uint64_t>(why_none(ring, party)));
    });
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
    nb::class_<RingIdentity>(m, "RingIdentity")
        .def(
            "__init__", [](RingIdentity* self, nb::handle memory) { new (self) RingIdentity(ring_identity(memory)); },
            nb::arg("memory"))
        .def(
            "fault",
            // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): they have names in Python
            [](const RingIdentity& there, std::uint64_t bytes, std::uint32_t kind, std::uint64_t record_bytes) {
                return static_cast<int>(with_ring_type(
                    {kind, record_bytes}, [&](auto type) { return decltype(type)::type::fault(there, bytes); }));
            },
            nb::arg("bytes"), nb::arg("kind"), nb::arg("record_bytes"))
        .def_ro("version", &RingIdentity::version)
        .def_prop_ro("kind", [](const RingIdentity& there) { return static_cast<std::uint32_t>(there.kind); })
        .def_ro("record_bytes", &RingIdentity::record_bytes)
        .def_ro("capacity", &RingIdentity::capacity);
    nb::class_<MappedRing>(m, "MappedRing")
        .def(
            "__init__",
            [](MappedRing* self, nb::handle memory, std::uint32_t kind, std::uint64_t record_bytes,
               std::uint64_t capacity,
               std::string name) { new (self) MappedRing(memory, {kind, record_bytes}, capacity, std::move(name)); },
            nb::arg("memory"), nb::arg("kind"), nb::arg("record_bytes"), nb::arg("capacity"), nb::arg("name"))
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
        .def("close",
             [](MappedRing& mapped) {
                 mapped.with_ring([](auto& ring, const RingParty&) {
                     ring.close();
                     return true;
                 });
             })
        .def("__len__",
             [](MappedRing& mapped) {
                 return mapped.with_ring([](auto& ring, const RingParty&) { return ring.size(); });
             })
        .def_prop_ro("head",
                     [](MappedRing& mapped) {
                         // Relaxed: a number that changes, if it does, when the consumer takes records.
                         return mapped.with_ring([](auto& ring, const RingParty&) {
                             return ring.header().head.load(std::memory_order_relaxed);
                         });
                     })
        .def_prop_ro("closed",
                     [](MappedRing& mapped) {
                         return mapped.with_ring([](auto& ring, const RingParty&) { return ring.closed(); });
                     })
        .def_prop_ro("capacity", [](MappedRing& mapped) {
            return mapped.with_ring([](auto& ring, const RingParty&) { return ring.capacity(); });
        });
}

}  // namespace lowlat
