// Applies many changes to the levels of one side in a single sequential walk over memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/native/analytics/records.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// The resulting levels are the first `count` of the output, or `trouble` says what is wrong at `price`.
struct LevelOutcome {
    std::size_t count = 0;
    LevelTrouble trouble = LevelTrouble::none;
    std::int64_t price = 0;
};

/// Prices as ranks that ascend from the best level on: ~ reverses the order of all of int64.
class LevelOrder {
  public:
    explicit LevelOrder(Side side) : flip_(side == Side::buy ? -1 : 0) {}

    std::int64_t rank(std::int64_t price) const { return price ^ flip_; }

  private:
    std::int64_t flip_;
};

/// The sum of all updates at one price. 128 bits: sums of up to 2^64 updates cannot overflow.
struct NetUpdate {
    std::int64_t price;
    __int128 quantity;
    __int128 order_count;
};

/// A level or an update as four lanes: price, quantity, orders, zero. Compilers turn operations on it into vector
/// instructions of the available width; GCC 12 does not vectorize the equivalent loops over records.
using VectorLanes __attribute__((vector_size(32))) = std::uint64_t;

/// Adds each update to its level, and combines the checks in one word: its top bit is set if a sum or one of its terms
/// reaches 2^63 (or is negative), or if no quantity is left (0 - 1). `Lanes`: what holds four of them.
template <typename Lanes>
std::uint64_t add_rows(const LevelRow* levels, const LevelUpdate* updates, LevelRow* to, std::size_t count) {
    constexpr Lanes changing{0, ~std::uint64_t{0}, ~std::uint64_t{0}, 0};
    constexpr Lanes one_lot{0, 1, 0, 0};
    Lanes doubtful{};
    for (std::size_t n = 0; n < count; ++n) {
        Lanes level;
        Lanes update;
        std::memcpy(&level, levels + n, sizeof level);
        std::memcpy(&update, updates + n, sizeof update);
        const Lanes sum = level + (update & changing);
        doubtful |= level | sum | (sum - one_lot);
        std::memcpy(static_cast<void*>(to + n), &sum, sizeof sum);
    }
    return doubtful[1] | doubtful[2];
}

/// Applies `updates` (any order, prices may repeat) to `levels`, best first; `out` has room for the levels and, to
/// insert, the updates.
template <typename Lanes>
class LevelUpdatesBy {
  public:
    LevelUpdatesBy(std::span<const LevelRow> levels, std::span<const LevelUpdate> updates, Side side, LevelRow* out)
        : levels_(levels), order_(side), updates_(updates), out_(out) {}

    LevelOutcome apply(bool insert) {
        if (const LevelRow* wrong = first_unsorted()) return {0, LevelTrouble::levels_unsorted, wrong->price};
        std::vector<LevelUpdate> sorted;
        const std::span<const LevelUpdate> updates = in_order(sorted);
        for (std::size_t n = 0; n < updates.size();) {
            copy_until(updates[n].price);
            if (const std::size_t added = add_run(updates.subspan(n))) {
                n += added;
                continue;
            }
            const NetUpdate net = net_at(updates, n);
            const LevelTrouble trouble = merge(net, insert);
            if (trouble != LevelTrouble::none) return {0, trouble, net.price};
        }
        copy(levels_.size() - next_);
        return {count_, LevelTrouble::none, 0};
    }

  private:
    const LevelRow* first_unsorted() const {
        std::size_t wrong = 0;
        for (std::size_t n = 1; n < levels_.size(); ++n) {
            wrong += order_.rank(levels_[n - 1].price) >= order_.rank(levels_[n].price) ? 1 : 0;
        }
        if (wrong == 0) return nullptr;
        const auto found = std::adjacent_find(levels_.begin(), levels_.end(), [&](const auto& a, const auto& b) {
            return order_.rank(a.price) >= order_.rank(b.price);
        });
        return &*found + 1;
    }

    /// The updates sorted by rank: the input itself if it is sorted, else a copy.
    std::span<const LevelUpdate> in_order(std::vector<LevelUpdate>& sorted) const {
        const auto before = [&](const LevelUpdate& a, const LevelUpdate& b) {
            return order_.rank(a.price) < order_.rank(b.price);
        };
        if (std::is_sorted(updates_.begin(), updates_.end(), before)) return updates_;
        sorted.assign(updates_.begin(), updates_.end());
        std::sort(sorted.begin(), sorted.end(), before);
        return sorted;
    }

    static NetUpdate net_at(std::span<const LevelUpdate> updates, std::size_t& n) {
        NetUpdate net{updates[n].price, 0, 0};
        for (; n < updates.size() && updates[n].price == net.price; ++n) {
            net.quantity += updates[n].quantity;
            net.order_count += updates[n].order_count;
        }
        return net;
    }

    /// Copy the levels before `price`. Galloping search: steps double from the current position, then halve, so that
    /// near levels are found soonest.
    void copy_until(std::int64_t price) {
        const auto ahead = levels_.subspan(next_);
        const auto before = [&](const LevelRow& level) { return order_.rank(level.price) < order_.rank(price); };
        std::size_t reach = 1;
        while (reach <= ahead.size() && before(ahead[reach - 1])) reach *= 2;
        const auto first = ahead.begin() + static_cast<std::ptrdiff_t>(reach / 2);
        const auto last = ahead.begin() + static_cast<std::ptrdiff_t>(std::min(reach, ahead.size()));
        copy(static_cast<std::size_t>(std::partition_point(first, last, before) - ahead.begin()));
    }

    void copy(std::size_t count) {
        std::copy_n(levels_.begin() + static_cast<std::ptrdiff_t>(next_), count, out_ + count_);
        next_ += count;
        count_ += count;
    }

    /// Add a run of consecutive updates to consecutive levels, one each, if no sum needs a closer check. Returns how
    /// many were added, at most `run_max`, else 0.
    std::size_t add_run(std::span<const LevelUpdate> updates) {
        const auto levels = levels_.subspan(next_);
        const std::size_t limit = std::min({run_max, levels.size(), updates.size()});
        std::size_t run = 0;
        while (run < limit && levels[run].price == updates[run].price) ++run;
        if (run != 0 && run < updates.size() && updates[run].price == updates[run - 1].price) --run;
        const std::uint64_t doubtful = add_rows<Lanes>(levels.data(), updates.data(), out_ + count_, run);
        if (doubtful >> 63 != 0) return 0;
        next_ += run;
        count_ += run;
        return run;
    }

    LevelTrouble merge(const NetUpdate& net, bool insert) {
        const bool known = next_ < levels_.size() && levels_[next_].price == net.price;
        if (!known && !insert) return LevelTrouble::unknown_price;
        const LevelRow level = known ? levels_[next_++] : LevelRow{net.price, 0, 0, 0};
        const __int128 quantity = net.quantity + level.quantity;
        const __int128 orders = net.order_count + level.order_count;
        const bool fits = quantity >= 0 && orders >= 0 && quantity <= most && orders <= most;
        if (!fits || (quantity == 0 && orders != 0)) return LevelTrouble::out_of_range;
        if (quantity != 0) {
            out_[count_++] = {net.price, static_cast<std::uint64_t>(quantity), static_cast<std::uint64_t>(orders), 0};
        }
        return LevelTrouble::none;
    }

    static constexpr std::uint64_t most = ~std::uint64_t{0};
    static constexpr std::size_t run_max = 64;

    std::span<const LevelRow> levels_;
    LevelOrder order_;
    std::span<const LevelUpdate> updates_;
    LevelRow* out_;
    std::size_t next_ = 0;   // first level not yet copied
    std::size_t count_ = 0;  // levels written
};

using LevelUpdates = LevelUpdatesBy<VectorLanes>;

}  // namespace lowlat
