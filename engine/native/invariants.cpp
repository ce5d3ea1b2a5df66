// What holds between any two commands. A build with LOWLAT_CHECKED walks it after commands.
#include <cstdint>

#include "engine/native/matcher.hpp"

namespace lowlat {
namespace {

void hold(bool rule, const char* text) {
    if (!rule) broken(text);
}

}  // namespace

void check_invariants(const Matcher& matcher) {
    const Nodes& nodes = matcher.nodes();
    std::uint32_t orders = 0;
    std::uint32_t levels = 0;
    for (std::uint32_t symbol = 0; symbol < matcher.symbols(); ++symbol) {
        const Book& book = matcher.books()[symbol];
        for (std::uint32_t side = 0; side < 2; ++side) {
            const Ladder& ladder = book.ladders[side];
            Handle first = nil;
            std::int64_t last_key = 0;
            ladder.for_each([&](std::int64_t key, Handle handle) {
                const LevelBody& level = nodes[handle].level;
                hold(level.key == key, "a level is found at its own key");
                hold(first == nil || key > last_key, "levels come best first");
                if (first == nil) first = handle;
                last_key = key;
                std::uint64_t quantity = 0;
                std::uint32_t count = 0;
                Handle before = handle;
                for (Handle at = nodes[handle].next; at != handle; before = at, at = nodes[at].next) {
                    const OrderBody& order = nodes[at].order;
                    hold(nodes[at].prev == before, "neighbours in a queue name each other");
                    hold(order.level == handle, "an order names the level it queues at");
                    hold(order.side == side && order.symbol == symbol, "an order rests in its own book, on its side");
                    hold(order.quantity != 0, "a resting order has quantity left");
                    hold(matcher.find(order.id, symbol, matcher.index().tag(order.id, symbol)) == at,
                         "every order is found by its id");
                    quantity += order.quantity;
                    ++count;
                }
                hold(nodes[handle].prev == before, "a level names its youngest order");
                hold(count != 0, "a level has an order");
                hold(count == level.orders && quantity == level.quantity, "a level sums its orders");
                orders += count;
                ++levels;
                return true;
            });
            hold(ladder.best() == first, "the best level is the first");
            hold(first == nil || ladder.best_key() == nodes[first].level.key, "the best key is the best level's");
        }
        const Ladder& bids = book.ladders[0];
        const Ladder& asks = book.ladders[1];
        hold(bids.best() == nil || asks.best() == nil || ~bids.best_key() < asks.best_key(), "a book is not crossed");
    }
    hold(orders == matcher.live_orders(), "live orders are those in the queues");
    hold(orders + levels == nodes.in_use(), "every node in use is an order or a level");
    hold(matcher.live_orders() <= matcher.orders_max(), "no more orders than the pool has");
}

}  // namespace lowlat
