// Applies the events of a file to a builder's books, in one pass without Python: `rebuild FILE FIRST`. The pass begins
// at event FIRST, after all before it. Prints its CPU time and the memory of the books: nanoseconds, KiB.
//
// With -DITCH_ORDER_BOOK the books are those of charles-cooper/itch-order-book, whose order_book.h is found by -I.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <span>
#include <vector>

#include "engine/native/feed/book_builder.hpp"
#include "engine/native/feed/depth_recorder.hpp"
#include "engine/native/feed/records.hpp"

using namespace lowlat;

#if defined(ITCH_ORDER_BOOK)
#include "order_book.h"

namespace {

/// Its books hold bids at positive prices and asks at negative ones, and an order's place is its id.
class Books {
  public:
    void apply(std::span<const OrderEvent> events) {
        for (const OrderEvent& event : events) apply(event);
    }

  private:
    static void apply(const OrderEvent& event) {
        const auto id = static_cast<order_id_t>(event.order_id);
        const auto quantity = static_cast<qty_t>(event.quantity);
        const auto price = static_cast<std::int32_t>(event.price);
        switch (event.action) {
            case OrderAction::add:
                return order_book::add_order(id, static_cast<book_id_t>(event.symbol),
                                             static_cast<sprice_t>(event.side == 0 ? price : -price), quantity);
            case OrderAction::cancel:
                return order_book::delete_order(id);
            case OrderAction::reduce:
                return order_book::cancel_order(id, quantity);
            case OrderAction::execute:
                return order_book::execute_order(id, quantity);
            case OrderAction::replace:
                return replace<order_book>(id, static_cast<order_id_t>(event.other_id), quantity,
                                           static_cast<sprice_t>(price));
            default:
                return;
        }
    }

    /// The order of the last two arguments has changed from one version of it to another.
    template <typename Book>
    static void replace(order_id_t id, order_id_t other, qty_t quantity, sprice_t price) {
        if constexpr (requires { Book::replace_order(id, other, quantity, price); })
            Book::replace_order(id, other, quantity, price);
        else
            Book::replace_order(id, other, price, quantity);
    }
};

}  // namespace
#else
namespace {

class Books {
  public:
    void apply(std::span<const OrderEvent> events) {
        NoWitness witness;
        if (builder_.apply_all(events, witness) != events.size()) std::abort();
    }

  private:
    BookBuilder builder_{1U << 22};
};

}  // namespace
#endif

/// Memory of this process that is resident.
long resident_kib() {
    long size = 0, pages = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &pages) != 2) std::abort();
    std::fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

[[gnu::noinline]] void measured_pass(Books& books, std::span<const OrderEvent> events) {
    books.apply(events);
}

int main(int count, char** given) {
    if (count != 3) return 2;
    std::FILE* const file = std::fopen(given[1], "rb");
    if (file == nullptr) return 1;
    std::fseek(file, 0, SEEK_END);
    std::vector<OrderEvent> events(static_cast<std::size_t>(std::ftell(file)) / sizeof(OrderEvent));
    std::rewind(file);
    if (std::fread(events.data(), sizeof(OrderEvent), events.size(), file) != events.size()) return 1;
    std::fclose(file);
    const long before = resident_kib();

    Books books;
    const std::span<const OrderEvent> all(events);
    const std::size_t first = std::strtoull(given[2], nullptr, 10);
    books.apply(all.first(first));
    timespec start{}, end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    measured_pass(books, all.subspan(first));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    std::printf("%lld %ld\n", (end.tv_sec - start.tv_sec) * 1'000'000'000LL + end.tv_nsec - start.tv_nsec,
                resident_kib() - before);
    return 0;
}
