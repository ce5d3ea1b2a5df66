// Who is at a ring at this moment, over processes: one consumer, one producer where the ring has one, and which
// producers are in the middle of a push. For calls from Python, of which each moves an array; threads of the core know
// their roles and do not ask.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "engine/native/platform/thread_identity.hpp"
#include "engine/native/rings/ring_layout.hpp"

namespace lowlat {

/// Another thread holds this end of the ring. Becomes the Python error BusyError.
class RingBusyError : public std::runtime_error {
  public:
    RingBusyError(const char* act, std::uint64_t holder)
        : std::runtime_error(std::string("thread ") + std::to_string(holder) + " is " + act +
                             " at this moment, and this end of the ring is for one thread at a time; take turns, or "
                             "give each its own ring") {}
};

/// This thread's word in a ring. In a process whose thread ids differ from those of the ring's maker (another
/// process-id namespace) nobody can be looked up by the words: all threads there share one, which no thread has.
class RingParty {
  public:
    explicit RingParty(const RingHeader& header) : namespace_(header.id_namespace) {}

    std::uint64_t word() const { return foreign() ? foreign_word : ThreadIdentity::of_this_thread().word(); }

    /// Whether a word can be told from that of a dead thread.
    bool knows(std::uint64_t word) const { return !foreign() && word != foreign_word; }

  private:
    static constexpr std::uint64_t foreign_word = ~std::uint64_t{0};

    bool foreign() const { return ThreadIdentity::id_namespace() != namespace_; }

    std::uint64_t namespace_;
};

/// Held for one call. The word in the block names the thread that holds it, with its start, so that one left by a
/// killed process is taken over even when its id has gone to another. Between process-id namespaces the rule is not
/// enforced.
class RingOwnership {
  public:
    RingOwnership(RingIndex& word, const RingParty& party, const char* act) : word_(word) {
        const std::uint64_t self = party.word();
        std::uint64_t holder = 0;
        // Acquire: pairs with the release below; what the last holder cached in the block is seen by this one. Relaxed
        // on failure: the value only names the holder.
        while (!word_.compare_exchange_strong(holder, self, std::memory_order_acquire, std::memory_order_relaxed)) {
            if (holder != 0 && party.knows(holder) && ThreadIdentity(holder).runs())
                throw RingBusyError(act, ThreadIdentity(holder).id());
        }
    }
    RingOwnership(const RingOwnership&) = delete;
    RingOwnership& operator=(const RingOwnership&) = delete;
    ~RingOwnership() {
        // Release: see above.
        word_.store(0, std::memory_order_release);
    }

  private:
    RingIndex& word_;
};

/// Held by a producer from before its claim until after its publication, so that the consumer can tell a claim whose
/// producer was killed from one that is about to be published. Words of killed producers are used again.
class PushMark {
  public:
    PushMark(RingHeader& header, const RingParty& party) {
        const std::uint64_t self = party.word();
        const std::uint64_t first = self * 0x9E37'79B9'7F4A'7C15 >> 32;  // so that threads seldom meet
        for (const bool from_the_dead : {false, true}) {
            for (std::uint64_t at = 0; at < ring_marks; ++at) {
                mark_ = &header.marks[(first + at) % ring_marks];
                // Relaxed: a guess, which the exchange checks.
                std::uint64_t there = mark_->load(std::memory_order_relaxed);
                if (there != 0 && !(from_the_dead && party.knows(there) && !ThreadIdentity(there).runs())) continue;
                // Relaxed: the claim that follows has release order, and so hands on this store with it.
                if (mark_->compare_exchange_strong(there, self, std::memory_order_relaxed)) return;
            }
        }
        mark_ = nullptr;
        // Relaxed: as above.
        header.unmarked.store(1, std::memory_order_relaxed);
    }
    PushMark(const PushMark&) = delete;
    PushMark& operator=(const PushMark&) = delete;
    ~PushMark() {
        // Release: who sees the mark gone sees the publication before it.
        if (mark_ != nullptr) mark_->store(0, std::memory_order_release);
    }

  private:
    RingIndex* mark_ = nullptr;
};

/// What keeps the consumer from its next record.
enum class Stall : std::uint8_t {
    none,      // nothing is claimed, or it is there
    pending,   // a producer that may still run has claimed it
    orphaned,  // its producer was killed
};

/// Consumer: why there is no record. A claim is orphaned when no producer that may still run is in the middle of a
/// push.
template <typename Ring>
Stall stall_of(const Ring& ring, const RingParty& party) {
    if (!ring.stalled()) return Stall::none;
    const RingHeader& header = ring.header();
    // Relaxed: set before the claim that stalled() acquired.
    if (header.unmarked.load(std::memory_order_relaxed) != 0) return Stall::pending;
    for (const RingIndex& mark : header.marks) {
        // Acquire: see ~PushMark().
        const std::uint64_t word = mark.load(std::memory_order_acquire);
        if (word != 0 && (!party.knows(word) || ThreadIdentity(word).runs())) return Stall::pending;
    }
    // A producer that removed its mark in between has published.
    return ring.stalled() ? Stall::orphaned : Stall::none;
}

/// A multi-producer ring as its marked producers use it; see push_waiting().
template <typename Ring>
class MarkedProducer {
  public:
    using record_type = typename Ring::record_type;

    MarkedProducer(Ring& ring, const RingParty& party) : ring_(ring), party_(party) {}

    std::uint64_t try_push(const record_type* records, std::uint64_t count) {
        if (ring_.size() == ring_.capacity()) return 0;  // a producer that waits for room holds no claim
        const PushMark mark(ring_.header(), party_);
        return ring_.try_push(records, count);
    }
    bool closed() const { return ring_.closed(); }

  private:
    Ring& ring_;
    const RingParty& party_;
};

}  // namespace lowlat
