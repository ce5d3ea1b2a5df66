// The book builder, event by event: queues and levels, growth of the pool and of the books, what it refuses, and the
// recorder of depths. tests/property compares it with plain books.
#include <algorithm>
#include <limits>
#include <vector>

#include "engine/native/feed/book_builder.hpp"
#include "engine/native/feed/depth_recorder.hpp"
#include "engine/native/feed/shown_levels.hpp"
#include "engine/native/flow/random.hpp"
#include "tests/native/checks.hpp"

namespace book_builder_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

OrderEvent event(OrderAction action, std::uint64_t id, std::int64_t price = 0, std::uint64_t quantity = 0) {
    OrderEvent made{};
    made.action = action;
    made.order_id = id;
    made.price = price;
    made.quantity = quantity;
    return made;
}

OrderEvent add(std::uint64_t id, std::uint32_t symbol, Side side, std::int64_t price) {
    OrderEvent made = event(OrderAction::add, id, price, 10);
    made.symbol = symbol;
    made.side = byte_of(side);
    return made;
}

void apply_whole(BookBuilder& builder, const std::vector<OrderEvent>& events) {
    NoWitness witness;
    check(builder.apply_all(events, witness) == events.size(), "all are applied");
    check(find_violation(builder, Crossing::always) == nullptr, "the books hold");
}

}  // namespace

const Register a_queue_keeps_its_order_as_the_grid_becomes_finer(
    "a queue keeps its order as the grid becomes finer", [] {
        BookBuilder builder(16);
        apply_whole(builder, {add(1, 0, Side::buy, 1'000'000), add(2, 0, Side::buy, 1'000'000),
                              add(3, 0, Side::sell, 2'500), add(4, 0, Side::buy, 999'999)});
        const auto found = builder.look_up(2, 0);
        check(found && found->orders_ahead == 1 && found->quantity_ahead == 10, "one is ahead");
        check(builder.level_at(0, Side::buy, 1'000'000).quantity == 20, "two are at the price");
        check(builder.level_at(0, Side::buy, 999'999).quantity == 10, "one is beside it");
        check(builder.counts().regrids == 3, "the first price, and two that it does not divide");
    });

const Register prices_at_both_ends_of_the_numbers_have_levels(
    "book builder: prices at both ends of the numbers have levels", [] {
        constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
        constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
        BookBuilder builder(16);
        apply_whole(builder, {add(1, 0, Side::buy, lowest), add(2, 0, Side::sell, highest), add(3, 0, Side::sell, 0)});
        check(builder.level_at(0, Side::buy, lowest).quantity == 10, "the lowest");
        check(builder.level_at(0, Side::sell, highest).quantity == 10, "the highest");
        BookBuilder other(16);
        apply_whole(other,
                    {add(1, 0, Side::sell, highest), add(2, 0, Side::sell, highest), add(3, 0, Side::buy, lowest)});
        check(other.level_at(0, Side::sell, highest).order_count == 2, "the highest first");
    });

const Register a_clear_takes_one_symbol_and_leaves_the_others(
    "book builder: a clear takes one symbol and leaves the others", [] {
        BookBuilder builder(16);
        std::vector<OrderEvent> events;
        for (std::uint64_t id = 1; id <= 40; ++id)
            events.push_back(add(id, id % 2, id % 3 == 0 ? Side::sell : Side::buy, static_cast<std::int64_t>(id * 7)));
        OrderEvent clear = event(OrderAction::clear, 0);
        clear.symbol = 1;
        events.push_back(clear);
        apply_whole(builder, events);
        check(builder.live_orders() == 20, "half are left");
        for (std::uint64_t id = 1; id <= 40; ++id)
            check(builder.look_up(id, id % 2).has_value() == (id % 2 == 0), "those of the other symbol");
    });

const Register pool_and_books_grow_amid_a_stream("book builder: pool and books grow amid a stream", [] {
    constexpr std::uint64_t orders = 20'000;
    BookBuilder builder(4);
    Random random(7);
    std::vector<OrderEvent> events;
    std::vector<std::uint32_t> symbols;
    for (std::uint64_t id = 1; id <= orders; ++id) {
        symbols.push_back(random.below(1 + static_cast<std::uint32_t>(id / 20)));
        const auto price = static_cast<std::int64_t>(10'000 + random.below(3'000));
        events.push_back(add(id, symbols.back(), id % 2 == 0 ? Side::buy : Side::sell, price * 100));
        if (id % 3 != 0) continue;
        OrderEvent gone = event(id % 2 == 0 ? OrderAction::cancel : OrderAction::execute, id - 1, 0, 10);
        gone.symbol = symbols[id - 2];
        events.push_back(gone);
    }
    apply_whole(builder, events);
    check(builder.growths() > 10, "the pool has doubled");
    check(builder.symbols() >= 900, "books were added");
    for (std::uint64_t id = 1; id <= orders; ++id)
        check(builder.look_up(id, symbols[id - 1]).has_value() == (id % 3 != 2 || id == orders), "who left, left");
    std::uint64_t unknown = 0;
    for (const std::uint64_t count : builder.counts().unknown) unknown += count;
    check(unknown == 0 && builder.counts().overfilled == 0, "no contradiction");
});

const Register an_event_with_a_fault_changes_nothing("book builder: an event with a fault changes nothing", [] {
    OrderEvent no_side = add(2, 0, Side::buy, 100);
    no_side.side = 2;
    OrderEvent too_large = event(OrderAction::replace, 1, 100, std::uint64_t{quantity_max} + 1);
    OrderEvent no_book = add(2, BookBuilder::symbols_limit, Side::buy, 100);
    const OrderEvent no_action = event(static_cast<OrderAction>(12), 1);
    const std::pair<OrderEvent, EventFault> cases[] = {{no_side, EventFault::side},
                                                       {too_large, EventFault::quantity},
                                                       {no_book, EventFault::symbol},
                                                       {no_action, EventFault::action}};
    for (const auto& [wrong, fault] : cases) {
        BookBuilder builder(16);
        const std::vector<OrderEvent> events{add(1, 0, Side::buy, 100), wrong, add(3, 0, Side::buy, 100)};
        NoWitness witness;
        check(builder.apply_all(events, witness) == 1 && builder.fault() == fault, "it ends there");
        check(builder.live_orders() == 1 && builder.look_up(1, 0).has_value(), "what was before is there");
        check(find_violation(builder, Crossing::always) == nullptr, "the books hold");
    }
});

const Register depths_are_recorded_only_where_they_change(
    "book builder: depths are recorded only where they change", [] {
        const std::vector<OrderEvent> events{add(1, 0, Side::buy, 100), event(OrderAction::trade, 0, 100, 5),
                                             add(2, 0, Side::buy, 90), add(3, 0, Side::sell, 101)};
        const std::int64_t expected[] = {0, 0, 100, 10, 101, 10, 100, 10};
        std::vector<std::int64_t> states(events.size() * ShownLevels::columns);
        std::vector<std::int64_t> numbers(events.size());
        BookBuilder builder(16);
        StateLog log(DepthMoment::change, states.data(), numbers.data());
        BestRecorder recorder(builder, log);
        builder.apply_all(events, recorder);
        check(log.recorded() == 2 && numbers[0] == 0 && numbers[1] == 3, "the second bid is behind the best");
        check(std::equal(std::begin(expected), std::end(expected), states.begin()), "ask, then bid");
    });

const Register a_level_that_goes_lets_the_next_one_in("book builder: a level that goes lets the next one in", [] {
    const std::vector<OrderEvent> events{add(1, 0, Side::buy, 100), add(2, 0, Side::buy, 90), add(3, 0, Side::buy, 95),
                                         event(OrderAction::cancel, 1, 0, 0)};
    const std::int64_t expected[] = {0, 0, 95, 10, 0, 0, 90, 10};
    std::vector<std::int64_t> states(events.size() * 2 * ShownLevels::columns);
    std::vector<std::int64_t> numbers(events.size());
    BookBuilder builder(16);
    StateLog log(DepthMoment::every, states.data(), numbers.data());
    DepthRecorder recorder(builder, 2, log);
    builder.apply_all(events, recorder);
    check(std::equal(std::begin(expected), std::end(expected), states.end() - 8), "the third level is the second");
});

}  // namespace book_builder_tests
