// Histograms of intervals, for a thread that must not stop: it records into one set of histograms while another thread
// reads the set of the interval before.
//
//     recording thread                                        reading thread
//     active(k).record(value)
//     tick(now): once the interval is over and the other      take(): a set that lies in full_ is final:
//       set is back, full_ = the active set (release),          look at it, add it to the totals, reset it,
//       and go on in the other one                              full_ = none (release)
//
// full_ is the only word that both write, each only when it is its turn: the recording thread when there is none in it,
// the reading thread when there is one. So a set always belongs to one of them, every value is in exactly one interval,
// and the intervals' sum is the whole. A reader that is late makes an interval longer, never wrong.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "reports/native/histogram.hpp"

namespace lowlat {

// So many histograms, each anew after so many ticks.
struct IntervalPlan {
    std::size_t count;
    std::uint64_t interval_ticks;
};

// As many histograms as there are things to tell apart, twice; and their sums over all intervals taken.
class IntervalHistograms {
    // Padded: the two threads share no cache line of any histogram.
    struct alignas(64) Slot {
        Histogram histogram;
    };

  public:
    // What lies between two moments of the recording thread, the first included.
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

    // Holds pointers into itself.
    IntervalHistograms(const IntervalHistograms&) = delete;
    IntervalHistograms& operator=(const IntervalHistograms&) = delete;

    [[nodiscard]] std::size_t count() const noexcept { return totals_.size(); }

    // The recording thread's, in this order: start() once, then active() and tick(), then finish() once.

    void start(std::uint64_t now_ticks) noexcept {
        active_->begin_ticks_ = now_ticks;
        next_flip_ticks_ = now_ticks + interval_ticks_;
    }

    // Where to record now; another one after tick().
    [[nodiscard, gnu::always_inline]] inline Histogram& active(std::size_t k) noexcept {
        return active_slots_[k].histogram;
    }

    // Between two records, with the time of now: what is recorded from here on belongs to it. No lock, no system call,
    // no allocation; one compare unless an interval is over.
    [[gnu::always_inline]] inline void tick(std::uint64_t now_ticks) noexcept {
        if (now_ticks >= next_flip_ticks_) [[unlikely]]
            flip(now_ticks);
    }

    // Nothing is recorded after this. What the last, shorter interval holds is left for the reading thread, which may
    // still have the set before it: so this does not wait.
    void finish(std::uint64_t now_ticks) noexcept {
        active_->end_ticks_ = now_ticks;
        next_flip_ticks_ = never;
        // Release: the last set is whole, and active_ final, for a reader that sees this.
        finished_.store(true, std::memory_order_release);
    }

    // The reading thread's.

    // Calls `use` with the oldest interval not yet taken, then adds it to the totals, empties it and hands it back;
    // false when there is none (yet). After finish() at most two are left. When `use` throws, the interval was not
    // taken.
    template <typename Use>
    bool take(Use use) {
        // First whether it is all over: a set that lies in full_ after that is older than the last one.
        const bool finished = finished_.load(std::memory_order_acquire);
        if (Interval* full = full_.load(std::memory_order_acquire)) {
            use(static_cast<const Interval&>(*full));
            empty_into_totals(*full);
            // Release: the set is empty before the recording thread finds it back.
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
        // Acquire: the reader's reset of the other set comes before what is recorded there next.
        return full_.load(std::memory_order_acquire) == nullptr;
    }

    // Release: every record of the interval comes before the reader's look at it.
    void hand_over(std::uint64_t now_ticks, std::memory_order order = std::memory_order_release) noexcept {
        Interval* over = active_;
        over->end_ticks_ = now_ticks;
        active_ = over == &sets_.front() ? &sets_.back() : &sets_.front();
        active_slots_ = active_->slots_.data();
        active_->begin_ticks_ = now_ticks;
        full_.store(over, order);
        // The first end of an interval after now, also when several have gone by.
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

    // Between the two.
    alignas(64) std::atomic<Interval*> full_ = nullptr;
    std::atomic<bool> finished_ = false;

    // The reading thread's.
    alignas(64) std::vector<Histogram> totals_;
    bool last_taken_ = false;
};

}  // namespace lowlat
