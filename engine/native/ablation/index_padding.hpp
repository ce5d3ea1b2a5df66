// Two indices that two threads move, as producer and consumer of a ring do: on cache lines of their own, or on one.
#pragma once

#include <cstdint>

#include "engine/native/ablation/trial.hpp"
#include "engine/native/ablation/two_threads.hpp"
#include "engine/native/rings/ring_layout.hpp"

namespace lowlat {

struct PaddedIndices {
    alignas(ring_lane) RingIndex tail{0};
    alignas(ring_lane) RingIndex head{0};
};

struct alignas(ring_lane) NeighboringIndices {
    RingIndex tail{0};
    RingIndex head{0};
};

/// Each thread moves its own index by one, as often as there are operations.
template <typename Indices>
Pass move_indices(const Trial& trial, unsigned other_cpu) {
    Indices indices;
    const auto moves = [&](RingIndex& index) {
        return [&index, &trial] {
            // Relaxed: nothing is handed over. A read-modify-write, as a producer's claim is.
            for (std::uint64_t at = 0; at < trial.operations; ++at) index.fetch_add(1, std::memory_order_relaxed);
        };
    };
    return measured_beside(trial, other_cpu, moves(indices.head), moves(indices.tail));
}

inline Pass measure_index_padding(const Trial& trial, unsigned other_cpu) {
    return trial.with ? move_indices<PaddedIndices>(trial, other_cpu)
                      : move_indices<NeighboringIndices>(trial, other_cpu);
}

}  // namespace lowlat
