// Producers push numbered records through a ring while a consumer checks each: whole, in its producer's order, every
// one exactly once. And rings that are broken on purpose, each by one line, which the same check must reject.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/locked_region.hpp"
#include "engine/native/rings/mpsc_ring.hpp"
#include "engine/native/rings/spsc_ring.hpp"
#include "engine/native/rings/wait_strategy.hpp"

namespace lowlat::testing {

struct Stress {
    std::uint64_t producers = 1;
    std::uint64_t records = 1'000'000;  // of each producer
    std::uint64_t capacity = 1024;
    std::uint32_t batch_max = 64;  // pushes and pops of 1 to this many
    std::chrono::milliseconds patience{20'000};
    WaitStrategy wait = WaitStrategy::yield;
};

/// What the consumer saw; see `accepted`.
struct Verdict {
    std::uint64_t taken = 0;
    std::uint64_t out_of_order = 0;
    std::uint64_t torn = 0;
    std::uint64_t unknown_producer = 0;
    std::uint64_t missing = 0;
    bool stalled = false;
    double seconds = 0;

    std::uint64_t wrong() const { return out_of_order + torn + unknown_producer; }
    bool accepted() const { return wrong() + missing == 0 && !stalled; }
};

/// A number of which every word of the record depends, so that half a record, or half of another, is seen.
inline std::uint64_t scrambled(std::uint64_t number) {
    number = (number ^ (number >> 31)) * 0x9E37'79B9'7F4A'7C15;
    return number ^ (number >> 29);
}

inline Command stress_record(std::uint64_t producer, std::uint64_t number, const Command* /*kind*/) {
    const std::uint64_t check = scrambled(number + (producer << 48));
    return {.order_id = number,
            .price = static_cast<std::int64_t>(check),
            .quantity = static_cast<std::int64_t>(~check),
            .symbol = static_cast<std::uint32_t>(producer),
            .kind = CommandType::limit,
            .side = static_cast<std::uint8_t>(check),
            .time_in_force = static_cast<std::uint8_t>(check >> 8),
            .flags = static_cast<std::uint8_t>(check >> 16)};
}

inline Event stress_record(std::uint64_t producer, std::uint64_t number, const Event* /*kind*/) {
    const std::uint64_t check = scrambled(number + (producer << 48));
    return {.sequence = ~check,
            .order_id = number,
            .maker_id = check,
            .price = static_cast<std::int64_t>(check ^ number),
            .quantity = static_cast<std::uint32_t>(check),
            .remaining = static_cast<std::uint32_t>(check >> 32),
            .maker_remaining = static_cast<std::uint32_t>(number),
            .symbol = static_cast<std::uint32_t>(producer),
            .trade_id = check + number,
            .kind = ExecType::trade,
            .side = 0,
            .reason = Reason::none,
            .command = CommandType::limit,
            .zero = static_cast<std::uint32_t>(~number)};
}

template <typename Ring>
class StressRun {
    using Record = typename Ring::record_type;
    using Clock = std::chrono::steady_clock;

  public:
    explicit StressRun(const Stress& given)
        : given_(given),
          memory_(LockedRegion::room_for<std::byte>(Ring::bytes_for(given.capacity))),
          block_(memory_.take<std::byte>(Ring::bytes_for(given.capacity))),
          next_(given.producers) {
        Ring::format(block_, given.capacity);
    }

    Verdict run() {
        const auto start = Clock::now();
        std::vector<std::thread> producers;
        for (std::uint64_t producer = 0; producer < given_.producers; ++producer)
            producers.emplace_back([this, producer] { produce(producer); });
        consume();
        // Relaxed: it only ends loops.
        given_up_.store(true, std::memory_order_relaxed);
        for (std::thread& thread : producers) thread.join();
        verdict_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        for (const std::uint64_t next : next_) verdict_.missing += given_.records - std::min(next, given_.records);
        return verdict_;
    }

  private:
    void produce(std::uint64_t producer) {
        Ring ring(block_);
        Random random(producer + 1);
        std::vector<Record> batch(given_.batch_max);
        // Relaxed: see run().
        const auto go_on = [this] { return !given_up_.load(std::memory_order_relaxed); };
        for (std::uint64_t number = 0; number < given_.records && go_on();) {
            const std::uint64_t count =
                std::min<std::uint64_t>(1 + random.below(given_.batch_max), given_.records - number);
            for (std::uint64_t at = 0; at < count; ++at)
                batch[at] = stress_record(producer, number + at, static_cast<Record*>(nullptr));
            if (push_waiting(ring, batch.data(), count, given_.wait, go_on) != count) return;
            number += count;
        }
    }

    /// Until every record is there, or one is wrong, or nothing came for so long that nothing will.
    void consume() {
        Ring ring(block_);
        Random random(0);
        std::vector<Record> batch(given_.batch_max);
        const std::uint64_t expected = given_.producers * given_.records;
        while (verdict_.taken < expected) {
            const auto deadline = Clock::now() + given_.patience;
            const std::uint64_t count = pop_waiting(ring, batch.data(), 1 + random.below(given_.batch_max), given_.wait,
                                                    [&] { return Clock::now() < deadline; });
            for (std::uint64_t at = 0; at < count; ++at) check(batch[at]);
            verdict_.stalled = count == 0;
            if (verdict_.stalled || verdict_.wrong() != 0) return;
        }
        // One record too many is as wrong as one too few.
        while (ring.try_pop(batch.data(), given_.batch_max) != 0) ++verdict_.out_of_order;
    }

    void check(const Record& record) {
        ++verdict_.taken;
        if (record.symbol >= given_.producers) {
            ++verdict_.unknown_producer;
            return;
        }
        std::uint64_t& next = next_[record.symbol];
        const Record whole = stress_record(record.symbol, record.order_id, &record);
        verdict_.torn += std::memcmp(&record, &whole, sizeof(Record)) != 0;
        verdict_.out_of_order += record.order_id != next;
        next = record.order_id + 1;
    }

    Stress given_;
    LockedRegion memory_;
    std::byte* block_;
    std::vector<std::uint64_t> next_;
    Verdict verdict_;
    std::atomic<bool> given_up_{false};
};

/// In the middle of a broken ring's mistake, now and then: on a machine with one CPU too, another thread comes between.
inline void let_others_run() {
    thread_local std::uint32_t calls = 0;
    if (++calls % 64 == 0) std::this_thread::yield();
}

/// Broken: the tail is stored, not exchanged, so that two producers take one slot.
template <typename Record>
class PlainTailRing : public MpscRing<Record> {
  public:
    using MpscRing<Record>::MpscRing;

    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        const std::uint64_t begin = this->header_->tail.load(std::memory_order_relaxed);
        const std::uint64_t fitting = this->room(begin, count);
        if (fitting == 0) return 0;
        let_others_run();
        this->header_->tail.store(begin + fitting, std::memory_order_relaxed);
        this->copy_in(begin, records, fitting);
        this->published(begin).store(begin + fitting, std::memory_order_release);
        return fitting;
    }
};

/// Broken: published before it is written.
template <typename Record>
class EarlyRing : public MpscRing<Record> {
  public:
    using MpscRing<Record>::MpscRing;

    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        std::uint64_t begin = 0;
        const std::uint64_t fitting = this->claim(count, begin);
        if (fitting == 0) return 0;
        this->published(begin).store(begin + fitting, std::memory_order_release);
        let_others_run();
        this->copy_in(begin, records, fitting);
        return fitting;
    }
};

/// Broken: trusts a head that another producer put back from more than a lap ago, and so finds room without end.
template <typename Record>
class OldHeadRing : public MpscRing<Record> {
  public:
    using MpscRing<Record>::MpscRing;

    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        RingHeader& header = this->header();
        std::uint64_t begin = header.tail.load(std::memory_order_relaxed);
        std::uint64_t fitting = 0;
        do {
            std::uint64_t head = header.head_seen.load(std::memory_order_acquire);
            if (this->capacity() - (begin - head) < count) {
                head = header.head.load(std::memory_order_acquire);
                let_others_run();
                header.head_seen.store(head, std::memory_order_release);
            }
            fitting = std::min({count, this->capacity() - (begin - head), this->capacity()});
            if (fitting == 0) return 0;
        } while (!header.tail.compare_exchange_weak(begin, begin + fitting, std::memory_order_relaxed));
        this->copy_in(begin, records, fitting);
        this->published(begin).store(begin + fitting, std::memory_order_release);
        return fitting;
    }
};

/// Broken: a full ring is written over.
template <typename Record>
class OverwritingRing : public SpscRing<Record> {
  public:
    using SpscRing<Record>::SpscRing;

    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        const std::uint64_t tail = this->header_->tail.load(std::memory_order_relaxed);
        const std::uint64_t fitting = std::min(count, this->capacity());
        this->copy_in(tail, records, fitting);
        this->commit(fitting);
        return fitting;
    }
};

/// Broken: the word that publishes orders nothing. Only a thread sanitizer, or a processor that reorders stores, sees
/// it.
template <typename Record>
class RelaxedRing : public MpscRing<Record> {
  public:
    using MpscRing<Record>::MpscRing;

    std::uint64_t try_push(const Record* records, std::uint64_t count) {
        std::uint64_t begin = 0;
        const std::uint64_t fitting = this->claim(count, begin);
        if (fitting == 0) return 0;
        this->copy_in(begin, records, fitting);
        this->published(begin).store(begin + fitting, std::memory_order_relaxed);
        return fitting;
    }
};

template <typename Ring>
Verdict stress(const Stress& given) {
    return StressRun<Ring>(given).run();
}

}  // namespace lowlat::testing
