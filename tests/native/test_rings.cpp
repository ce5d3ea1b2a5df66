// The rings' single-threaded rules by small numbers, then with threads: every record once, whole, in its producer's
// order. The same stress rejects rings that are broken on purpose. tools/ci/stress.sh runs it longer, and under
// sanitizers.
#include <vector>

#include "tests/native/checks.hpp"
#include "tests/native/ring_stress.hpp"

using namespace lowlat;
using namespace lowlat::testing;

namespace {

template <typename Ring>
struct Made {
    explicit Made(std::uint64_t capacity)
        : memory(LockedRegion::room_for<std::byte>(Ring::bytes_for(capacity))),
          block(memory.take<std::byte>(Ring::bytes_for(capacity))) {
        Ring::format(block, capacity);
    }
    Ring ring() { return Ring(block); }

    LockedRegion memory;
    std::byte* block;
};

std::vector<Command> numbered(std::uint64_t count) {
    std::vector<Command> commands(count);
    for (std::uint64_t at = 0; at < count; ++at) commands[at].order_id = at + 1;
    return commands;
}

template <typename Ring>
void takes_what_fits() {
    Made<Ring> made(4);
    Ring ring = made.ring();
    const std::vector<Command> six = numbered(6);
    std::vector<Command> out(6);
    check(ring.try_pop(out.data(), 6) == 0 && ring.size() == 0, "a new ring is empty");
    check(ring.try_push(six.data(), 6) == 4, "of 6 records 4 fit into a ring of 4");
    check(!ring.try_push(six[4]) && ring.size() == 4, "a full ring refuses, and keeps what it has");
    check(ring.try_pop(out.data(), 3) == 3 && out[0].order_id == 1 && out[2].order_id == 3, "the oldest come first");
    check(ring.try_push(six.data() + 4, 2) == 2, "the slots given back are free, over the end of the array");
    check(ring.try_pop(out.data(), 6) == 3 && out[0].order_id == 4 && out[2].order_id == 6,
          "over the end in order too");
    check(!ring.try_pop(out[0]), "and then none");
}

template <typename Ring>
void peeks_where_they_lie() {
    Made<Ring> made(4);
    Ring ring = made.ring();
    const std::vector<Command> six = numbered(6);
    std::vector<Command> out(3);
    ring.try_push(six.data(), 3);
    ring.try_pop(out.data(), 3);
    ring.try_push(six.data() + 3, 3);
    check(ring.peek(9).size() == 1 && ring.peek(9)[0].order_id == 4, "to the end of the array");
    check(ring.size() == 3, "to look takes nothing");
    ring.release(1);
    check(ring.peek(9).size() == 2 && ring.peek(1).size() == 1 && ring.peek(9)[1].order_id == 6, "then from its start");
}

template <typename Ring>
void closes() {
    Made<Ring> made(4);
    Ring ring = made.ring();
    Command command{};
    ring.try_push(command);
    check(!ring.closed() && !ring.finished(), "open");
    ring.close();
    check(ring.closed() && !ring.finished() && ring.size() == 1, "closed, but one record is left");
    check(!ring.try_push(command) && push_waiting(ring, &command, 1, WaitStrategy::spin) == 0,
          "a closed ring refuses at once");
    check(pop_waiting(ring, &command, 1, WaitStrategy::spin) == 1 && ring.finished(), "the last record is taken");
    check(pop_waiting(ring, &command, 1, WaitStrategy::spin) == 0, "nobody waits at a finished ring");
}

template <typename Ring>
void knows_another_block() {
    Made<Ring> made(8);
    const std::size_t bytes = Ring::bytes_for(8);
    auto& header = *reinterpret_cast<RingHeader*>(made.block);
    const auto fault = [&] { return Ring::fault(made.block, bytes); };
    check(fault() == RingFault::none, "what format() wrote");
    check(Ring::fault(made.block, bytes - 1) == RingFault::too_short, "cut at its end");
    check(Ring::fault(made.block, 100) == RingFault::too_short, "cut in its header");
    check(SpscRing<Event>::fault(made.block, bytes) != RingFault::none, "records of another size");
    header.capacity = 12;
    check(fault() == RingFault::capacity, "12 is no power of two");
    header.capacity = 16;
    check(fault() == RingFault::too_short, "a capacity that the block does not hold");
    header.capacity = 8;
    header.version = 2;
    check(fault() == RingFault::version, "another version");
    header.version = RingHeader::version_now;
    header.magic.store(0);
    check(fault() == RingFault::not_a_ring, "another file");
}

const Register fits_one("spsc ring: takes what fits, in order", &takes_what_fits<SpscRing<Command>>);
const Register fits_many("mpsc ring: takes what fits, in order", &takes_what_fits<MpscRing<Command>>);
const Register peeks_one("spsc ring: shows records where they lie", &peeks_where_they_lie<SpscRing<Command>>);
const Register peeks_many("mpsc ring: shows records where they lie", &peeks_where_they_lie<MpscRing<Command>>);
const Register closes_one("spsc ring: closed, it refuses and is emptied", &closes<SpscRing<Command>>);
const Register closes_many("mpsc ring: closed, it refuses and is emptied", &closes<MpscRing<Command>>);
const Register knows_one("spsc ring: knows a block that is none", &knows_another_block<SpscRing<Command>>);
const Register knows_many("mpsc ring: knows a block that is none", &knows_another_block<MpscRing<Command>>);

const Register reserves("spsc ring: records written in place", [] {
    Made<SpscRing<Command>> made(4);
    SpscRing<Command> ring = made.ring();
    Command out{};
    ring.try_push(out);
    ring.try_pop(out);
    const std::span<Command> three = ring.reserve(9);
    check(three.size() == 3, "of 4 free slots 3 lie before the end of the array");
    three[0].order_id = 7;
    check(ring.size() == 0, "reserved is not yet handed over");
    ring.commit(1);
    check(ring.try_pop(out) && out.order_id == 7 && ring.size() == 0, "one was handed over, two were not");
});

const Register stalls("mpsc ring: a claim that was never published is told from an empty ring", [] {
    struct Dying : MpscRing<Command> {
        using MpscRing::claim;
        using MpscRing::MpscRing;
    };
    Made<Dying> made(4);
    Dying ring(made.block);
    std::uint64_t begin = 0;
    Command out{};
    check(!ring.stalled(), "an empty ring is no stall");
    check(ring.claim(1, begin) == 1, "a producer claims, and dies");
    check(ring.try_push(out) && !ring.try_pop(out) && ring.stalled(),
          "the record behind it waits, and the ring says so");
});

const Register accepted("rings: one to four producers, each record once and in order", [] {
    for (const std::uint64_t producers : {1, 2, 3, 4}) {
        const Stress small{.producers = producers, .records = 100'000, .capacity = 8, .batch_max = 16};
        const Stress large{.producers = producers, .records = 1'000'000, .capacity = 65'536};
        check(stress<MpscRing<Command>>(small).accepted(), "commands through a ring of 8");
        check(stress<MpscRing<Command>>(large).accepted(), "commands through a ring of 65,536");
        check(stress<MpscRing<Event>>(small).accepted(), "events through a ring of 8");
    }
    check(stress<SpscRing<Event>>({.records = 100'000, .capacity = 1, .batch_max = 2}).accepted(), "a ring of 1");
    check(stress<SpscRing<Event>>({.records = 4'000'000, .capacity = 32'768}).accepted(), "a ring of 32,768");
});

// The thread sanitizer would report what these rings are there for; tools/ci/stress.sh sees that it does.
#if !defined(__SANITIZE_THREAD__)

/// Whether the stress rejects such a ring; one run may be lucky.
template <typename Ring>
bool rejected(Stress given) {
    given.patience = std::chrono::milliseconds(500);
    for (int attempt = 0; attempt < 30; ++attempt) {
        if (!stress<Ring>(given).accepted()) return true;
    }
    return false;
}

const Register plain_tail("broken rings: two producers in one slot are rejected", [] {
    check(rejected<PlainTailRing<Command>>({.producers = 4, .records = 1'000'000, .capacity = 64, .batch_max = 4}),
          "the stress rejects a tail that is stored, not exchanged");
});

const Register old_head("broken rings: an old head taken for room is rejected", [] {
    check(rejected<OldHeadRing<Command>>({.producers = 3, .records = 300'000, .capacity = 8, .batch_max = 16}),
          "the stress rejects room that was computed from a head of a lap ago");
});

const Register early("broken rings: published before written is rejected", [] {
    check(rejected<EarlyRing<Command>>({.producers = 2, .records = 1'000'000, .capacity = 64}),
          "the stress rejects records that are published before they are written");
});

const Register overwriting("broken rings: a full ring that loses records is rejected", [] {
    check(rejected<OverwritingRing<Event>>({.records = 1'000'000, .capacity = 64, .batch_max = 4}),
          "the stress rejects a ring that writes over what was not read");
});

#endif

}  // namespace
