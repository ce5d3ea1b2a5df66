// Stresses one ring: ring_stress KIND PRODUCERS RECORDS CAPACITY BATCH PATIENCE_MS; RECORDS is the total over all
// producers. KIND is mpsc, mpsc-events or spsc, or a broken one: plain-tail, early, old-head, overwriting, relaxed.
// Exit code 0 if the ring is accepted, else 1. A ring without progress for PATIENCE_MS has stalled.
#include "tests/native/ring_stress.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace lowlat;
using namespace lowlat::testing;

namespace {

struct KindOfRing {
    const char* name;
    Verdict (*stress)(const Stress&);
};

constexpr KindOfRing kinds[] = {
    {"mpsc", &stress<MpscRing<Command>>},        {"mpsc-events", &stress<MpscRing<Event>>},
    {"spsc", &stress<SpscRing<Event>>},          {"plain-tail", &stress<PlainTailRing<Command>>},
    {"early", &stress<EarlyRing<Command>>},      {"relaxed", &stress<RelaxedRing<Command>>},
    {"old-head", &stress<OldHeadRing<Command>>}, {"overwriting", &stress<OverwritingRing<Event>>},
};

std::uint64_t number(const char* text) {
    return std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int count, char** words) {
    if (count == 7) {
        for (const KindOfRing& kind : kinds) {
            if (std::strcmp(kind.name, words[1]) != 0) continue;
            const std::uint64_t producers = number(words[2]);
            const Verdict seen = kind.stress({.producers = producers,
                                              .records = number(words[3]) / producers,
                                              .capacity = number(words[4]),
                                              .batch_max = static_cast<std::uint32_t>(number(words[5])),
                                              .patience = std::chrono::milliseconds(number(words[6]))});
            std::printf(
                "%s: %s, %llu producers, capacity %s: %llu records in %.2f s; %llu missing, %llu out of order, "
                "%llu torn, %llu of no producer%s\n",
                seen.accepted() ? "accepted" : "REJECTED", kind.name, (unsigned long long)producers, words[4],
                (unsigned long long)seen.taken, seen.seconds, (unsigned long long)seen.missing,
                (unsigned long long)seen.out_of_order, (unsigned long long)seen.torn,
                (unsigned long long)seen.unknown_producer, seen.stalled ? ", stalled" : "");
            return seen.accepted() ? 0 : 1;
        }
    }
    std::fprintf(stderr, "usage: ring_stress KIND PRODUCERS RECORDS CAPACITY BATCH PATIENCE_MS\n");
    return 2;
}
