// One thread writes a book in which every level identifies its update, another reads it. A book with levels of two
// updates is torn; one whose best bid reaches its best ask is crossed. The same check must catch two broken variants.
//
// Arguments: SECONDS, then sound | writer-without-sequence | reader-without-check. Runs at least that long, and longer
// (on a busy machine or under a sanitizer) until it has seen enough: `enough_books` with a sound lock, one torn book
// with a broken one; at most a minute. Prints the books read, and how many of them were torn or crossed.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "engine/native/shared_book/mapped_book.hpp"

using namespace lowlat;

namespace {

constexpr std::uint32_t depth = 16;
constexpr std::uint64_t enough_books = 1000;
constexpr auto longest = std::chrono::minutes(1);

struct Rows {
    std::array<LevelRow, depth> bids;
    std::array<LevelRow, depth> asks;
};

/// Moves by more than the spread with every update, so that sides of different updates cross.
LevelRow row_of(std::uint64_t update, Side side, std::uint32_t position) {
    const auto middle = static_cast<std::int64_t>(1000 + update % 7 * 100);
    const auto away = static_cast<std::int64_t>(position + 1);
    return {side == Side::buy ? middle - away : middle + away, update, update, 0};
}

bool sound(const Rows& rows, const BookStamp& stamp) {
    if (stamp.bids == 0 && stamp.asks == 0) return true;
    const std::uint64_t update = rows.bids[0].quantity;
    const std::uint32_t count = 1 + update % depth;
    if (stamp.bids != count || stamp.asks != count || stamp.command != update) return false;
    for (std::uint32_t n = 0; n < count; ++n) {
        if (!same_level(rows.bids[n], row_of(update, Side::buy, n)) ||
            !same_level(rows.asks[n], row_of(update, Side::sell, n)))
            return false;
    }
    return rows.bids[0].price < rows.asks[0].price;
}

void write_levels(BookWriter& writer, std::uint64_t update) {
    const std::uint32_t count = 1 + update % depth;
    for (const Side side : both_sides) {
        for (std::uint32_t n = 0; n < count; ++n) writer.set_level(side, n, row_of(update, side, n));
        writer.set_count(side, count);
    }
}

void write(BookWriter& writer, std::uint64_t update, bool sequenced) {
    if (sequenced) {
        writer.begin();
        write_levels(writer, update);
        writer.end(update);
    } else {
        write_levels(writer, update);
        store_word(writer.memory().pulse().command, update);
    }
}

/// A reader that checks the sequence neither before nor after.
void copy_unchecked(const BookReader& reader, const BookMemory& memory, Rows& rows, BookStamp& stamp) {
    stamp.bids = reader.count(Side::buy);
    stamp.asks = reader.count(Side::sell);
    stamp.command = load_word(memory.pulse().command);
    for (std::uint32_t n = 0; n < stamp.bids; ++n) rows.bids[n] = memory.side(Side::buy)[n].load();
    for (std::uint32_t n = 0; n < stamp.asks; ++n) rows.asks[n] = memory.side(Side::sell)[n].load();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    const std::chrono::duration<double> span(std::strtod(arguments[1], nullptr));
    const std::string_view kind = arguments[2];
    const bool sequenced = kind != "writer-without-sequence";
    const bool checked = kind != "reader-without-check";
    const bool broken = !sequenced || !checked;

    void* mapped = mmap(nullptr, book_bytes(depth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return 1;
    const BookMemory memory(static_cast<std::byte*>(mapped), depth);
    std::atomic<bool> stop = false;
    BookWriter writer(memory);
    writer.open(1, 1);
    std::thread writing([&] {
        for (std::uint64_t update = 1; !stop.load(std::memory_order_relaxed); ++update)
            write(writer, update, sequenced);
    });

    const BookReader reader(memory);
    Rows rows{};
    BookStamp stamp{};
    std::uint64_t read = 0;
    std::uint64_t wrong = 0;
    const auto begin = std::chrono::steady_clock::now();
    const auto seen_enough = [&] { return broken ? wrong > 0 : read >= enough_books; };
    for (;;) {
        const auto taken = std::chrono::steady_clock::now() - begin;
        if (taken >= longest || (taken >= span && seen_enough())) break;
        if (checked) {
            if (!reader.snapshot(depth, rows.bids.data(), rows.asks.data(), stamp)) continue;
        } else {
            copy_unchecked(reader, memory, rows, stamp);
        }
        ++read;
        wrong += sound(rows, stamp) ? 0 : 1;
    }
    stop = true;
    writing.join();
    std::printf("%llu %llu\n", static_cast<unsigned long long>(read), static_cast<unsigned long long>(wrong));
}
