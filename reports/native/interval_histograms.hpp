// Interval histograms for a thread that must not block: it records into one set of histograms while another thread
// reads the set of the previous interval.
//
//     recording thread                                        reading thread
//     active(k).record(value)
//     tick(now): once the interval is over and the other      take(): a set that lies in full_ is final:
//       set is back, full_ = the active set (release),          look at it, add it to the totals, reset it,
//       and go on in the other one                              full_ = none (release)
//
// full_ is the only word that both threads write: the recording thread when it holds none, the reading thread when it
// holds a set. So a set always belongs to one of them, every value is in exactly one interval, and the intervals add up
// to the whole. A late reader makes an interval longer, never wrong.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "reports/native/histogram.hpp"

namespace lowlat {

// The number of histograms, and the ticks per interval.
struct IntervalPlan {
    std::size_t count;
    std::uint64_t interval_ticks;
};

// Two sets of histograms, one histogram for each category, and the totals over all intervals taken.
class IntervalHistograms {
    // Padded: the two threads share no cache line of any histogram.
    struct alignas(64) Slot {
        Histogram histogram;
    };

  public:
    // The time between two moments of the recording thread, including the first.
    class alignas(64) Interval {
      public:
        explicit Interval(std::size_t count) : slots_(count) {}

        [[nodiscard]] std::uint64_t begin_ticks() const noexcept { return begin_ticks_; }
        [[nodiscard]] std::uint64_t end_ticks() const noexcept { return end_ticks_; }
        [[nodiscard]] std::size_t count() const noexcept { return slots_.size(); }
        // Precondition here and below: k < count().
        [[nodiscard]] const Histogram& of(std::size_t k) const noexcept { return slots_[k].histogram; }

      private:
        friend class IntervalHistograms;
        std::vector<Slot> slots_;
        std::uint64_t begin_ticks_ = 0;
        std::uint64_t end_ticks_ = 0;
    };

    // The only place that allocates. Precondition: interval_ticks > 0.
    explicit IntervalHistograms(const IntervalPlan& plan)
        : sets_{Interval(plan.count), Interval(plan.count)},
          interval_ticks_(plan.interval_ticks),
          totals_(plan.count) {}

    // Contains pointers into itself.
    IntervalHistograms(const IntervalHistograms&) = delete;
    IntervalHistograms& operator=(const IntervalHistograms&) = delete;

    [[nodiscard]] std::size_t count() const noexcept { return totals_.size(); }

    // For the recording thread, in this order: start() once, then active() and tick(), then finish() once.

    void start(std::uint64_t now_ticks) noexcept {
        active_->begin_ticks_ = now_ticks;
        next_flip_ticks_ = now_ticks + interval_ticks_;
    }

    // The histogram to record into; may change after tick().
    [[nodiscard, gnu::always_inline]] inline Histogram& active(std::size_t k) noexcept {
        return active_slots_[k].histogram;
    }

    // Call between two records with the current time; later records belong to it. No lock, no system call, no
    // allocation; one compare unless an interval is over.
    [[gnu::always_inline]] inline void tick(std::uint64_t now_ticks) noexcept {
        if (now_ticks >= next_flip_ticks_) [[unlikely]]
            flip(now_ticks);
    }

    // Ends the recording. The last, shorter interval is left for the reading thread. Does not wait, though the reading
    // thread may still have the previous set.
    void finish(std::uint64_t now_ticks) noexcept {
        active_->end_ticks_ = now_ticks;
        next_flip_ticks_ = never;
        // Release: a reader that sees this sees the complete last set and the final active_.
        finished_.store(true, std::memory_order_release);
    }

    // The reading thread's.

    // Calls `use` with the oldest interval not yet taken, adds it to the totals, empties it and returns it to the
    // recording thread; false if there is none (yet). After finish() at most two are left. If `use` throws, the
    // interval is not taken.
    template <typename Use>
    bool take(Use use) {
        // Check first whether recording has finished: a set found in full_ after that is older than the last one.
        const bool finished = finished_.load(std::memory_order_acquire);
        if (Interval* full = full_.load(std::memory_order_acquire)) {
            use(static_cast<const Interval&>(*full));
            empty_into_totals(*full);
            // Release: the set is empty before the recording thread gets it back.
            full_.store(nullptr, std::memory_order_release);
            return true;
        }
        if (!finished || last_taken_) return false;
        use(static_cast<const Interval&>(*active_));
        empty_into_totals(*active_);
        last_taken_ = true;
        return true;
    }

    // Everything taken so far.
    [[nodiscard]] const Histogram& total(std::size_t k) const noexcept { return totals_[k]; }

  protected:
    [[nodiscard]] bool is_over(std::uint64_t now_ticks) const noexcept { return now_ticks >= next_flip_ticks_; }

    [[nodiscard]] bool other_is_back() const noexcept {
        // Acquire: the reader's reset of the other set happens before anything is recorded there next.
        return full_.load(std::memory_order_acquire) == nullptr;
    }

    // Release: every record of the interval happens before the reader reads it.
    void hand_over(std::uint64_t now_ticks, std::memory_order order = std::memory_order_release) noexcept {
        Interval* over = active_;
        over->end_ticks_ = now_ticks;
        active_ = over == &sets_.front() ? &sets_.back() : &sets_.front();
        active_slots_ = active_->slots_.data();
        active_->begin_ticks_ = now_ticks;
        full_.store(over, order);
        // The first end of an interval after now, even if several have passed.
        next_flip_ticks_ += ((now_ticks - next_flip_ticks_) / interval_ticks_ + 1) * interval_ticks_;
    }

  private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    [[gnu::noinline]] void flip(std::uint64_t now_ticks) noexcept {
        if (other_is_back()) hand_over(now_ticks);
    }

    void empty_into_totals(Interval& taken) noexcept {
        for (std::size_t k = 0; k < count(); ++k) {
            totals_[k].add(taken.of(k));
            taken.slots_[k].histogram.reset();
        }
    }

    std::array<Interval, 2> sets_;

    // The recording thread's.
    alignas(64) std::uint64_t next_flip_ticks_ = never;
    std::uint64_t interval_ticks_;
    Interval* active_ = &sets_.front();
    Slot* active_slots_ = active_->slots_.data();

    // Shared by both threads.
    alignas(64) std::atomic<Interval*> full_ = nullptr;
    std::atomic<bool> finished_ = false;

    // The reading thread's.
    alignas(64) std::vector<Histogram> totals_;
    bool last_taken_ = false;
};

}  // namespace lowlat
