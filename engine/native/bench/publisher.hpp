// The consumer of the market data: keeps the levels of every book, publishes them to its mapped book, and measures each
// command's time until then.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/bench/latencies.hpp"
#include "engine/native/bench/market_data_feed.hpp"
#include "engine/native/bench/stage_recordings.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/platform/wall_clock.hpp"
#include "engine/native/rings/wait_strategy.hpp"
#include "engine/native/shared_book/level_book.hpp"
#include "engine/native/shared_book/mapped_book.hpp"
#include "probes/native/clock.hpp"

namespace lowlat {

class Publisher {
  public:
    /// One writer per symbol of the matcher; the books start from the matcher's current ones.
    Publisher(const Matcher& matcher, const std::vector<BookWriter*>& writers, bool paced, const TickScale& ns,
              Latencies& latencies)
        : commands_before_(matcher.sequence()), paced_(paced), ns_(ns), latencies_(latencies) {
        constexpr std::size_t levels_in_all = std::size_t{1} << 17;
        books_.reserve(writers.size());
        touched_.reserve(writers.size());
        for (BookWriter* writer : writers) books_.push_back({writer, LevelBook(levels_in_all / writers.size()), {}});
        for (std::uint32_t symbol = 0; symbol < books_.size(); ++symbol) start(matcher, symbol);
    }

    /// Run until the ring is closed and empty. Publishes books only at the end of a command, and all available commands
    /// at once. A command's time is the moment from which all readers could see its resulting book.
    void run(MarketDataRing ring, WaitStrategy wait) {
        Backoff backoff(wait);
        StageRecordings to(latencies_, paced_);
        to.first().start(ticks_end());
        for (std::uint32_t round = 0;; ++round) {
            if (unlikely(round % rounds_between_beats == 0)) beat();
            const std::span<const MarketData> there = ring.peek(batch_max);
            if (there.empty()) {
                if (ring.finished()) break;
                backoff.pause();
                continue;
            }
            backoff.progress();
            const std::span<const MarketData> whole = up_to_last_end(there);
            if (whole.empty()) {
                apply(there);  // levels of a command whose end has not arrived yet
                ring.release(there.size());
                continue;
            }
            apply(whole);
            show();
            // Make the books globally visible before the clock is read: rdtscp waits for loads, not stores.
            std::atomic_thread_fence(std::memory_order_seq_cst);
            record(whole, ticks_end(), to);
            ring.release(whole.size());
        }
        to.first().finish(ticks_end());
    }

    std::uint64_t acked() const { return acked_; }
    std::uint64_t rejected() const { return rejected_; }
    /// Commands whose timestamps from two CPUs contradict each other: the counters are not synchronized.
    std::uint64_t backwards() const { return backwards_; }
    /// When the last command was published, in ticks.
    std::uint64_t end_ticks() const { return end_ticks_; }

  private:
    struct Shown {
        BookWriter* writer;
        LevelBook levels;
        bool touched;
    };

    static constexpr std::uint64_t batch_max = 256;
    static constexpr std::uint32_t rounds_between_beats = 1 << 12;  // the clock is read this seldom
    static constexpr std::uint64_t beat_every_ns = 100'000'000;     // there may be thousands of books

    void beat() {
        const std::uint64_t now = coarse_wall_ns();
        if (now - beaten_ns_ < beat_every_ns) return;
        beaten_ns_ = now;
        for (const Shown& book : books_) book.writer->beat(now);
    }

    void start(const Matcher& matcher, std::uint32_t symbol) {
        Shown& book = books_[symbol];
        for (const Side side : both_sides) {
            matcher.for_each_level(symbol, side, [&](const LevelRow& row) {
                book.levels.update(side, row);
                return true;
            });
        }
        book.writer->publish(commands_before_, book.levels, symbol);
    }

    static std::span<const MarketData> up_to_last_end(std::span<const MarketData> updates) {
        std::size_t count = updates.size();
        while (count != 0 && !updates[count - 1].ends_command) --count;
        return updates.first(count);
    }

    void apply(std::span<const MarketData> updates) {
        for (const MarketData& update : updates) {
            if (!update.has_level) continue;
            Shown& book = books_[update.symbol];
            book.levels.update(update.side, {update.price, update.quantity, update.order_count, 0});
            if (!book.touched) touched_.push_back(update.symbol);
            book.touched = true;
        }
        for (const MarketData& update : updates) commands_ += update.ends_command ? 1 : 0;
    }

    void show() {
        for (const std::uint32_t symbol : touched_) {
            Shown& book = books_[symbol];
            book.writer->publish(commands_before_ + commands_, book.levels, symbol);
            book.touched = false;
        }
        touched_.clear();
    }

    void record(std::span<const MarketData> updates, std::uint64_t now, StageRecordings& to) {
        end_ticks_ = now;
        for (const MarketData& update : updates) {
            if (!update.ends_command) continue;
            ++(update.operation == Operation::reject ? rejected_ : acked_);
            if (update.taken < update.sent || update.matched < update.taken || now < update.matched) {
                ++backwards_;
                continue;
            }
            note_gaps(update);
            to.record(update, now, ns_);
        }
    }

    /// The longest time that the matcher's thread spent on a command, or left one in its queue while it had no other.
    void note_gaps(const MarketData& update) {
        const std::uint64_t idle_since = std::min(std::max(update.sent, matched_before_), update.taken);
        latencies_.gap_max_ticks =
            std::max({latencies_.gap_max_ticks, update.taken - idle_since, update.matched - update.taken});
        matched_before_ = update.matched;
    }

    std::vector<Shown> books_;
    std::vector<std::uint32_t> touched_;  // symbols whose books are to be published
    std::uint64_t commands_before_;
    std::uint64_t commands_ = 0;
    std::uint64_t acked_ = 0;
    std::uint64_t rejected_ = 0;
    std::uint64_t backwards_ = 0;
    std::uint64_t matched_before_ = 0;  // when the previous command was matched, in ticks
    std::uint64_t end_ticks_ = 0;
    std::uint64_t beaten_ns_ = 0;
    bool paced_;
    TickScale ns_;
    Latencies& latencies_;
};

}  // namespace lowlat
