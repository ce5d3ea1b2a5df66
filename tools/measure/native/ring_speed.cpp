// Records per second through one ring: ring_speed mpsc|spsc PRODUCERS RECORDS CAPACITY BATCH. Orders are commands (32
// bytes), market data are events (64 bytes). Producers copy each record in, BATCH at a time; the consumer copies out up
// to 256 at a time and checks the sum of the order ids. Prints millions of records per second.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/native/matching/records.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/rings/mpsc_ring.hpp"
#include "engine/native/rings/spsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

using namespace lowlat;

namespace {

constexpr std::uint64_t taken_at_once = 256;

template <typename Ring>
void produce(Ring ring, std::uint64_t records, std::uint64_t batch) {
    std::vector<typename Ring::record_type> from(batch);
    for (std::uint64_t number = 0; number < records; number += batch) {
        for (std::uint64_t at = 0; at < batch; ++at) from[at].order_id = number + at;
        push_waiting(ring, from.data(), batch, WaitStrategy::yield);
    }
}

template <typename Ring>
int measure(std::uint64_t producers, std::uint64_t records, std::uint64_t capacity, std::uint64_t batch) {
    const LockedRegion memory(Ring::bytes_for(capacity));
    void* block = const_cast<std::byte*>(memory.start());
    Ring::format(block, capacity);
    Ring ring(block);
    std::vector<typename Ring::record_type> out(taken_at_once);
    const std::uint64_t each = records / producers / batch * batch;
    std::uint64_t sum = 0;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::uint64_t at = 0; at < producers; ++at) threads.emplace_back([=] { produce(Ring(block), each, batch); });
    for (std::uint64_t taken = 0; taken < each * producers;) {
        const std::uint64_t count = pop_waiting(ring, out.data(), taken_at_once, WaitStrategy::yield);
        for (std::uint64_t at = 0; at < count; ++at) sum += out[at].order_id;
        taken += count;
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    for (std::thread& thread : threads) thread.join();
    if (sum != producers * (each * (each - 1) / 2)) {
        std::fprintf(stderr, "records were lost\n");
        return 1;
    }
    std::printf("%.3f\n", static_cast<double>(each * producers) / took.count());
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int at) { return std::strtoull(words[at], nullptr, 10); };
    if (count == 6 && std::strcmp(words[1], "mpsc") == 0)
        return measure<MpscRing<Command>>(number(2), number(3), number(4), number(5));
    if (count == 6 && std::strcmp(words[1], "spsc") == 0)
        return measure<SpscRing<Event>>(number(2), number(3), number(4), number(5));
    std::fprintf(stderr, "usage: ring_speed mpsc|spsc PRODUCERS RECORDS CAPACITY BATCH\n");
    return 2;
}
