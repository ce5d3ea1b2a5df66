// Looking at commands that wait in a queue, so that what they will touch is on its way into the cache when they
// execute. This affects only time. Matcher does it for a batch, which is there as a whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/native/matching/fetching_store.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// How far each stage of prefetching has come in a stream of commands, of which any number may wait at a time.
///
/// A stage reads the lines that the stage before it has prefetched. A command passes one stage at a time, and others
/// execute in between, so that no stage waits for memory. A command that waits alone is not prefetched for.
template <typename Store = FetchingStore>
class LookAhead {
    using Ahead = typename Store::Ahead;

  public:
    /// Call `execute(command)` for the next commands, up to `end`. Commands from there to `behind` wait after them;
    /// those that have once waited still do.
    template <typename Record, typename Execute>
    LOWLAT_INLINE void each(const Store& store, const Record* next, const Record* end, const Record* behind,
                            Execute execute) {
        const Record* in_step_until = in_step(next, behind);
        std::uint64_t number = next_;
        for (; next != end; ++next, ++number) {
            if (likely(next < in_step_until)) {
                store.fetch_neighbors_of(ahead(number + links));
                fetch_far(store, next[far], ahead(number + far));
                store.fetch_node_of(ahead(number + nodes));
                ahead(number + slots) = store.look_ahead(next[slots]);
            } else if (next + 1 != behind) {
                catch_up(store, next, behind, number);
                in_step_until = in_step(next, behind);
            }
            execute(*next);
        }
        next_ = number;
    }

  private:
    static constexpr std::uint64_t slots = Store::fetch_slot, nodes = Store::fetch_node, links = Store::fetch_neighbors,
                                   far = Store::fetch_far;

    /// Before commands up to there, each stage has exactly one command to prefetch for.
    template <typename Record>
    const Record* in_step(const Record* next, const Record* behind) const {
        return in_step_ && behind - next > std::ptrdiff_t{slots} ? behind - slots : next;
    }

    /// The same where a stage has several commands to prefetch for, or none: at the start of a backlog, and at its end.
    template <typename Record>
    LOWLAT_APART void catch_up(const Store& store, const Record* next, const Record* behind, std::uint64_t number) {
        if (in_step_) {
            linked_ = number + links;
            noded_ = number + nodes;
            looked_ = number + slots;
        }
        const auto advance = [&](std::uint64_t& done, std::uint64_t ready, std::uint64_t most, auto fetch) {
            const std::uint64_t end = std::min(ready, number + most + 1);
            for (done = std::max(done, number + 1); done < end; ++done) fetch(done);
        };
        if (linked_ > number + far) fetch_far(store, next[far], ahead(number + far));
        advance(linked_, noded_, links, [&](std::uint64_t of) { store.fetch_neighbors_of(ahead(of)); });
        advance(noded_, looked_, nodes, [&](std::uint64_t of) { store.fetch_node_of(ahead(of)); });
        advance(looked_, number + static_cast<std::uint64_t>(behind - next), slots,
                [&](std::uint64_t of) { ahead(of) = store.look_ahead(next[of - number]); });
        in_step_ = linked_ == number + links + 1 && noded_ == number + nodes + 1 && looked_ == number + slots + 1;
    }

    LOWLAT_INLINE static void fetch_far(const Store& store, const Command& command, const Ahead& ahead) {
        if (unlikely(store.many_far_levels())) store.fetch_far_of(command, ahead);
    }

    LOWLAT_INLINE Ahead& ahead(std::uint64_t number) { return ahead_[number % slots]; }

    std::uint64_t next_ = 0;  // number of the next command
    // The first command that each stage has not prefetched for, unless all stages are in step.
    std::uint64_t looked_ = 0, noded_ = 0, linked_ = 0;
    bool in_step_ = false;  // each stage is as far ahead as it goes
    Ahead ahead_[slots];
};

}  // namespace lowlat
