// The rings' single-threaded rules by small numbers, then with threads: every record once, whole, in its producer's
// order. The same stress rejects rings that are broken on purpose. tools/ci/stress.sh runs it longer, and under
// sanitizers.
#include <thread>
#include <vector>

#include "engine/native/platform/thread_identity.hpp"
#include "engine/native/rings/ring_ownership.hpp"
#include "tests/native/checks.hpp"
#include "tests/native/ring_stress.hpp"

namespace rings_tests {

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
    const auto fault = [&](std::size_t there) { return Ring::fault(RingIdentity(made.block), there); };
    check(fault(bytes) == RingFault::none, "what format() wrote");
    check(fault(bytes - 1) == RingFault::size && fault(bytes + 1) == RingFault::size, "of another length");
    check(SpscRing<Event>::fault(RingIdentity(made.block), bytes) != RingFault::none, "records of another size");
    header.capacity = 12;
    check(fault(bytes) == RingFault::capacity, "12 is no power of two");
    header.capacity = 16;
    check(fault(bytes) == RingFault::size, "a capacity that the block does not hold");
    header.capacity = 8;
    header.version = 1;
    check(fault(bytes) == RingFault::version, "another version");
    header.version = RingHeader::version_now;
    header.magic.store(0);
    check(fault(bytes) == RingFault::not_a_ring, "another file");
}

template <typename Ring>
void knows_indices_that_cannot_be() {
    Made<Ring> made(8);
    auto& header = *reinterpret_cast<RingHeader*>(made.block);
    const auto agree = [&](std::uint64_t seen, std::uint64_t head, std::uint64_t ready, std::uint64_t tail) {
        header.head_seen = seen;
        header.head = head;
        header.ready = ready;
        header.tail = tail;
        return RingIdentity(made.block).indices_agree;
    };
    check(agree(0, 0, 0, 0) && agree(3, 9, 11, 17) && agree(9, 9, 17, 17), "empty, partly filled, full");
    check(!agree(0, 9, 9, 18), "more than fits");
    check(!agree(0, 9, 9, 8) && !agree(0, 9, 12, 11), "more taken, or known to be there, than was pushed");
    check(!agree(0, 9, 8, 11), "less known to be there than was taken");
    check(!agree(10, 9, 9, 11), "a head seen that was not yet");
}

/// The copy says what it said, whatever the header says later: it is a copy.
template <typename Ring>
void keeps_to_the_capacity_that_was_checked() {
    Made<Ring> made(8);
    const RingIdentity there(made.block);
    reinterpret_cast<RingHeader*>(made.block)->capacity = std::uint64_t{1} << 30;
    check(there.capacity == 8 && Ring(made.block, there.capacity).capacity() == 8, "the header is not asked again");
}

const Register fits_one("spsc ring: takes what fits, in order", &takes_what_fits<SpscRing<Command>>);
const Register fits_many("mpsc ring: takes what fits, in order", &takes_what_fits<MpscRing<Command>>);
const Register peeks_one("spsc ring: shows records where they lie", &peeks_where_they_lie<SpscRing<Command>>);
const Register peeks_many("mpsc ring: shows records where they lie", &peeks_where_they_lie<MpscRing<Command>>);
const Register closes_one("spsc ring: closed, it refuses and is emptied", &closes<SpscRing<Command>>);
const Register closes_many("mpsc ring: closed, it refuses and is emptied", &closes<MpscRing<Command>>);
const Register knows_one("spsc ring: knows a block that is none", &knows_another_block<SpscRing<Command>>);
const Register knows_many("mpsc ring: knows a block that is none", &knows_another_block<MpscRing<Command>>);
const Register indices_one("spsc ring: knows indices that cannot be", &knows_indices_that_cannot_be<SpscRing<Command>>);
const Register indices_many("mpsc ring: knows indices that cannot be",
                            &knows_indices_that_cannot_be<MpscRing<Command>>);
const Register copies_one("spsc ring: a header is read once", &keeps_to_the_capacity_that_was_checked<SpscRing<Event>>);
const Register copies_many("mpsc ring: a header is read once",
                           &keeps_to_the_capacity_that_was_checked<MpscRing<Event>>);

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

struct Dying : MpscRing<Command> {
    using MpscRing::claim;
    using MpscRing::MpscRing;
};

const Register stalls("mpsc ring: a claim that was never published is told from an empty ring", [] {
    Made<Dying> made(4);
    Dying ring(made.block);
    std::uint64_t begin = 0;
    Command out{};
    check(!ring.stalled(), "an empty ring is no stall");
    check(ring.claim(1, begin) == 1, "a producer claims, and dies");
    check(ring.try_push(out) && !ring.try_pop(out) && ring.stalled(),
          "the record behind it waits, and the ring says so");
});

const Register orphans("mpsc ring: a claim whose producer was killed is told from one that is pending", [] {
    Made<Dying> made(4);
    Dying ring(made.block);
    const RingParty party(ring.header());
    std::uint64_t begin = 0;
    check(stall_of(ring, party) == Stall::none, "nothing is claimed");
    {
        const PushMark mark(ring.header(), party);
        check(stall_of(ring, party) == Stall::none, "a mark is no claim");
        check(ring.claim(1, begin) == 1 && stall_of(ring, party) == Stall::pending, "this thread runs and may publish");
    }
    check(stall_of(ring, party) == Stall::orphaned, "it is gone, and has not published");
    // A thread of another process that had this thread's id before it: its mark says nothing about this thread.
    RingIndex& stale = ring.header().marks[7];
    stale = ThreadIdentity::of_this_thread().word() - (std::uint64_t{1} << 22);
    check(stall_of(ring, party) == Stall::orphaned, "the start time tells the two apart");
    stale = ThreadIdentity::of_this_thread().word();
    check(stall_of(ring, party) == Stall::pending, "the same id and start are the same thread");
    stale = ~std::uint64_t{0};
    check(stall_of(ring, party) == Stall::pending, "a producer of another namespace of ids may run");
    stale = 0;
    ring.header().unmarked = 1;
    check(stall_of(ring, party) == Stall::pending, "so may one that found no mark");
});

const Register marks_run_out("mpsc ring: marks of the dead are used again, and a lack of marks is noted", [] {
    Made<MpscRing<Command>> made(4);
    RingHeader& header = made.ring().header();
    const RingParty party(header);
    const std::uint64_t dead = ThreadIdentity::of_this_thread().word() - (std::uint64_t{1} << 22);
    for (RingIndex& mark : header.marks) mark = dead;
    {
        const PushMark mark(header, party);
        check(header.unmarked == 0, "taken from a dead producer");
    }
    for (RingIndex& mark : header.marks) mark = ThreadIdentity::of_this_thread().word();
    {
        const PushMark mark(header, party);
    }
    check(header.unmarked == 1, "none was free");
    for (const RingIndex& mark : header.marks) check(mark != 0, "others' marks stay");
});

/// The consumer asks for the reason whenever there is nothing, while marked producers push: none of them is dead.
const Register living("mpsc ring: no claim of a living producer is taken for that of a dead one", [] {
    Made<MpscRing<Command>> made(8);
    constexpr std::uint64_t each = 50'000;
    std::vector<std::thread> producers;
    for (int number = 0; number < 3; ++number)
        producers.emplace_back([&] {
            MpscRing<Command> ring = made.ring();
            const RingParty party(ring.header());
            MarkedProducer producer(ring, party);
            const std::vector<Command> commands = numbered(5);
            for (std::uint64_t pushed = 0; pushed < each; pushed += 5)
                push_waiting(producer, commands.data(), 5, WaitStrategy::yield);
        });
    MpscRing<Command> ring = made.ring();
    const RingParty party(ring.header());
    Command out{};
    for (std::uint64_t taken = 0; taken < 3 * each;) {
        if (ring.try_pop(out)) {
            ++taken;
        } else {
            check(stall_of(ring, party) != Stall::orphaned, "all producers run");
        }
    }
    for (std::thread& thread : producers) thread.join();
    check(ring.size() == 0 && stall_of(ring, party) == Stall::none, "all was taken");
});

/// Broken: a producer that marks itself only after its claim; the check above must find it.
const Register late("broken rings: a mark set after the claim is rejected", [] {
    Made<Dying> made(4);
    Dying ring(made.block);
    const RingParty party(ring.header());
    std::uint64_t begin = 0;
    ring.claim(1, begin);
    check(stall_of(ring, party) == Stall::orphaned, "in between, a living producer looks dead");
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

}  // namespace rings_tests
