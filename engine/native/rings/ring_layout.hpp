// The memory of a ring: a header that says what it is, the indices, the records. Given by the caller, so that it can be
// a Region or memory that processes share; it holds offsets and counts only, no address.
//
//   0     magic, version, kind, record size, capacity, bytes, closed
//   128   tail        how many records were ever claimed       written by producers
//   256   head_seen   a head that producers saw                written by producers
//   384   head        how many records were ever taken         written by the consumer
//   512   ready       all before it are known to be published  written by the consumer
//   640   producer_turn  who pushes, where one producer may    engine/native/rings/ring_ownership.hpp
//   768   consumer_turn  who pops                              the same
//   896   unmarked       a producer once found no mark         the same
//   1024  marks          producers in the middle of a push     the same
//   2048  records        capacity * record size, to a full lane
//         published      capacity * 8, multi-producer rings only
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "engine/native/platform/compiler.hpp"
#include "engine/native/platform/thread_identity.hpp"
#include "engine/native/rings/records.hpp"

namespace lowlat {

/// Two cache lines of 64 bytes: Intel's second-level prefetcher takes them in such pairs, so that two indices on
/// neighboring lines still take them from each other; and it is the line itself on Apple's processors.
inline constexpr std::size_t ring_lane = 128;
inline constexpr std::uint64_t ring_capacity_max = std::uint64_t{1} << 32;
inline constexpr std::size_t ring_marks = 128;
inline constexpr std::uint64_t order_ring_capacity = 65'536;
inline constexpr std::uint64_t market_data_ring_capacity = 32'768;

/// A count of records since the ring was made. At 10^9 a second it takes 292 years to reach the top bit, which is free
/// to mean "closed".
using RingIndex = std::atomic<std::uint64_t>;
static_assert(RingIndex::is_always_lock_free, "an index in shared memory cannot use a lock of one process");
static_assert(sizeof(RingIndex) == 8);

struct RingHeader {
    static constexpr std::uint64_t magic_word = 0x31474E5254414C4C;  // "LLATRNG1" where integers are little-endian
    static constexpr std::uint32_t version_now = 2;

    alignas(ring_lane) RingIndex magic;
    std::uint32_t version;
    RingKind kind;
    std::uint64_t record_bytes;
    std::uint64_t capacity;
    std::uint64_t bytes;
    std::uint64_t id_namespace;  // of the thread ids in turns and marks
    std::atomic<std::uint32_t> closed;

    alignas(ring_lane) RingIndex tail;
    alignas(ring_lane) RingIndex head_seen;
    alignas(ring_lane) RingIndex head;
    alignas(ring_lane) RingIndex ready;
    alignas(ring_lane) RingIndex producer_turn;
    alignas(ring_lane) RingIndex consumer_turn;
    alignas(ring_lane) RingIndex unmarked;
    alignas(ring_lane) RingIndex marks[ring_marks];
};
static_assert(offsetof(RingHeader, tail) == 1 * ring_lane && offsetof(RingHeader, head_seen) == 2 * ring_lane);
static_assert(offsetof(RingHeader, head) == 3 * ring_lane && offsetof(RingHeader, ready) == 4 * ring_lane);
static_assert(offsetof(RingHeader, producer_turn) == 5 * ring_lane);
static_assert(offsetof(RingHeader, consumer_turn) == 6 * ring_lane);
static_assert(offsetof(RingHeader, unmarked) == 7 * ring_lane && offsetof(RingHeader, marks) == 8 * ring_lane);
static_assert(sizeof(RingHeader) == 2048 && std::is_standard_layout_v<RingHeader>);

/// A power of two, so that an index becomes a slot by a mask and the indices may run on for ever.
constexpr bool ring_capacity_valid(std::uint64_t capacity) {
    return std::has_single_bit(capacity) && capacity <= ring_capacity_max;
}

/// What a header says: a copy, for another process may change the header between two looks at it.
struct RingIdentity {
    /// Of at least sizeof(RingHeader) bytes; each field is read once.
    explicit RingIdentity(const void* block) : RingIdentity(*static_cast<const RingHeader*>(block)) {}

    std::uint64_t magic;
    std::uint32_t version;
    RingKind kind;
    std::uint64_t record_bytes;
    std::uint64_t capacity;
    std::uint64_t bytes;
    bool indices_agree;

  private:
    explicit RingIdentity(const RingHeader& header)
        // Acquire: pairs with the store that ends format(), so that the fields below are whole.
        : magic(header.magic.load(std::memory_order_acquire)),
          version(once(header.version)),
          kind(once(header.kind)),
          record_bytes(once(header.record_bytes)),
          capacity(once(header.capacity)),
          bytes(once(header.bytes)),
          indices_agree(agree(header, capacity)) {}

    /// Atomic, so that the compiler cannot read the memory again instead of keeping the value.
    template <typename Field>
    static Field once(const Field& field) {
        return std::atomic_ref(const_cast<Field&>(field)).load(std::memory_order_relaxed);
    }

    /// Whether the indices are such as can be: head_seen <= head <= ready <= tail <= head + capacity. They move on
    /// meanwhile, so the head is read on both sides of the others. Acquire keeps the order of the loads.
    static bool agree(const RingHeader& header, std::uint64_t capacity) {
        const std::uint64_t head_before = header.head.load(std::memory_order_acquire);
        const std::uint64_t ready = header.ready.load(std::memory_order_acquire);
        const std::uint64_t tail = header.tail.load(std::memory_order_acquire) & ~(std::uint64_t{1} << 63);
        const std::uint64_t seen = header.head_seen.load(std::memory_order_acquire);
        const std::uint64_t head = header.head.load(std::memory_order_acquire);
        return seen <= head && head_before <= head && head_before <= ready && ready <= tail &&
               (tail <= head || tail - head <= capacity);
    }
};

/// What the two kinds of ring share. A view: it may be copied, and the memory must outlive it. Mask and addresses are
/// its own, not read from the block again, so that a block that another process scribbles over cannot lead outside of
/// it.
template <typename Record, RingKind of_kind>
class RingView {
    static_assert(std::is_trivially_copyable_v<Record>);
    static_assert(ring_lane % alignof(Record) == 0);

  public:
    using record_type = Record;
    static constexpr RingKind kind = of_kind;

    /// Bytes of a block for `capacity` records. The block starts at a multiple of `ring_lane`.
    static constexpr std::size_t bytes_for(std::uint64_t capacity) {
        return sizeof(RingHeader) + records_bytes(capacity) +
               (of_kind == RingKind::mpsc ? capacity * sizeof(RingIndex) : 0);
    }

    /// What is wrong with `bytes` of memory as a ring of this kind and record; a block that is being made is not one
    /// yet.
    static RingFault fault(const RingIdentity& there, std::size_t bytes) {
        if (there.magic != RingHeader::magic_word) return RingFault::not_a_ring;
        if (there.version != RingHeader::version_now) return RingFault::version;
        if (there.kind != of_kind) return RingFault::kind;
        if (there.record_bytes != sizeof(Record)) return RingFault::record_size;
        if (!ring_capacity_valid(there.capacity)) return RingFault::capacity;
        if (there.bytes != bytes_for(there.capacity) || bytes != there.bytes) return RingFault::size;
        return there.indices_agree ? RingFault::none : RingFault::indices;
    }

    /// Writes an empty ring over `bytes_for(capacity)` bytes, touching every page of them.
    static void format(void* block, std::uint64_t capacity) {
        std::memset(block, 0, bytes_for(capacity));
        auto& header = *new (block) RingHeader{};
        header.version = RingHeader::version_now;
        header.kind = of_kind;
        header.record_bytes = sizeof(Record);
        header.capacity = capacity;
        header.bytes = bytes_for(capacity);
        header.id_namespace = ThreadIdentity::id_namespace();
        // Release: whoever sees the magic sees the fields above (fault()).
        header.magic.store(RingHeader::magic_word, std::memory_order_release);
    }

    /// Over a block that format() wrote and fault() accepts, with the capacity that it accepted.
    RingView(void* block, std::uint64_t capacity)
        : header_(static_cast<RingHeader*>(block)),
          records_(reinterpret_cast<Record*>(static_cast<std::byte*>(block) + sizeof(RingHeader))),
          mask_(capacity - 1) {}

    /// Over a block of this process, which nobody else writes.
    explicit RingView(void* block) : RingView(block, static_cast<const RingHeader*>(block)->capacity) {}

    std::uint64_t capacity() const { return mask_ + 1; }
    RingHeader& header() const { return *header_; }

    /// Records claimed and not yet taken, as some moment during the call saw it.
    std::uint64_t size() const {
        // Acquire on both keeps the order of the two loads: the head is the older, so that the difference is never
        // negative. It may exceed the capacity when producers move in between; that is no size.
        const std::uint64_t head = header_->head.load(std::memory_order_acquire);
        const std::uint64_t tail = header_->tail.load(std::memory_order_acquire) & ~closed_bit;
        return std::min(tail - head, capacity());
    }

  protected:
    static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;

    static constexpr std::size_t records_bytes(std::uint64_t capacity) {
        return (capacity * sizeof(Record) + ring_lane - 1) / ring_lane * ring_lane;
    }

    RingIndex* published_words() const {
        return reinterpret_cast<RingIndex*>(reinterpret_cast<std::byte*>(records_) + records_bytes(capacity()));
    }

    /// How many of `wanted` records fit behind `tail`: never more than there is room for, perhaps fewer.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): an index and a count, as in all that follows here
    LOWLAT_INLINE std::uint64_t room(std::uint64_t tail, std::uint64_t wanted) const {
        // Acquire: whoever stored this value had acquired it from the consumer's head, so that the consumer's reads of
        // the slots lie before our writes even when another producer fetched the head.
        std::uint64_t head = header_->head_seen.load(std::memory_order_acquire);
        std::uint64_t used = tail - head;
        // More than there can be: another producer has put back a head from more than a lap ago (see below).
        if (unlikely(used > capacity() || capacity() - used < wanted)) {
            // Acquire: pairs with the consumer's release in give_back(); it has read the slots before `head`.
            head = header_->head.load(std::memory_order_acquire);
            // Release: hands that on to the load above. A producer that was held up here overwrites a later head by an
            // earlier one; each is a head that was, so it can only make the ring look too full.
            header_->head_seen.store(head, std::memory_order_release);
            used = tail - head;
        }
        // Of the head itself a tail can only be behind: it is an old one, and the claim of it fails.
        if (unlikely(used > capacity())) used = 0;
        return std::min(wanted, capacity() - used);
    }

    LOWLAT_INLINE Record& slot(std::uint64_t index) const { return records_[index & mask_]; }

    /// Slots from `index` to the end of the array, `count` at most.
    std::uint64_t contiguous(std::uint64_t index, std::uint64_t count) const {
        return std::min(count, capacity() - (index & mask_));
    }

    LOWLAT_INLINE void copy_in(std::uint64_t index, const Record* from, std::uint64_t count) const {
        const std::uint64_t first = contiguous(index, count);
        std::memcpy(static_cast<void*>(&slot(index)), from, first * sizeof(Record));
        if (first != count) std::memcpy(static_cast<void*>(records_), from + first, (count - first) * sizeof(Record));
    }

    LOWLAT_INLINE void copy_out(std::uint64_t index, Record* to, std::uint64_t count) const {
        const std::uint64_t first = contiguous(index, count);
        std::memcpy(static_cast<void*>(to), &slot(index), first * sizeof(Record));
        if (first != count) std::memcpy(static_cast<void*>(to + first), records_, (count - first) * sizeof(Record));
    }

    /// The consumer has read `count` slots from `head` on; they are the producers' again.
    LOWLAT_INLINE void give_back(std::uint64_t head, std::uint64_t count) const {
        // Release: the reads of the slots stay before it; pairs with the acquire loads in room().
        header_->head.store(head + count, std::memory_order_release);
    }

    RingHeader* header_;
    Record* records_;
    std::uint64_t mask_;
};

}  // namespace lowlat
