// A LOWLAT_CHECKED build checks the invariants after commands and events.
#include "engine/native/matching/invariants.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>

#include "engine/native/matching/order_store.hpp"

namespace lowlat {
namespace {

struct Violation : std::exception {
    explicit Violation(const char* text) : rule(text) {}

    const char* rule;
};

void hold(bool rule, const char* text) {
    if (!rule) throw Violation(text);
}

/// Counts from one walk over all queues.
struct Count {
    std::uint32_t orders = 0;
    std::uint32_t levels = 0;
    std::uint32_t attributes_handle = 0;
    std::uint32_t expiring = 0;
    std::uint32_t restricted = 0;
    PerSide<std::uint32_t> all_or_none{};
    PerSide<std::optional<std::int64_t>> plain{};  // best key of an order that rests and trades in parts

    /// Whether orders cross that trade with each other.
    bool crossed() const {
        const std::optional<std::int64_t>& bid = plain[Side::buy];
        const std::optional<std::int64_t>& ask = plain[Side::sell];
        return bid.has_value() && ask.has_value() && ~*bid >= *ask;
    }
};

/// An order and what other structures record about it.
void hold_order(const OrderStore& store, Handle at, bool waits, Count& count) {
    const OrderBody& order = store.nodes()[at].order;
    hold(order.quantity != 0, "a resting order has quantity left");
    hold(store.find(order.id, order.symbol) == at, "every order is found by its id");
    hold(((order.attributes & attribute_waits) != 0) == waits, "stops wait apart from the orders that rest");
    hold(((order.attributes & attributes_stored) != 0) <= has_attributes(order), "an order with terms has kept them");
    if (has_attributes(order)) ++count.attributes_handle;
    if ((order.attributes & attributes_met) != 0) ++count.restricted;
    if ((order.attributes & attribute_all_or_none) != 0) ++count.all_or_none[order.side];
    if ((order.attributes & attribute_gtd) == 0) return;
    hold(store.expiries().at(store.attributes()[order.attributes_handle].place) == at,
         "an expiring order knows its place");
    ++count.expiring;
}

void hold_ladder(const OrderStore& store, const Ladder& ladder, std::uint32_t symbol, Side side, bool waits,
                 Count& count) {
    const Nodes& nodes = store.nodes();
    Handle first = nil;
    std::int64_t last_key = 0;
    ladder.for_each([&](std::int64_t key, Handle handle) {
        const LevelBody& level = nodes[handle].level;
        hold(level.key == key && ladder.look(key) == handle, "a level is found at its own key");
        hold(first == nil || key > last_key, "levels come best first");
        hold(first == nil || ladder.after(last_key).level == handle, "the next level is found from any key");
        if (first == nil) first = handle;
        last_key = key;
        std::uint64_t quantity = 0;
        std::uint32_t orders = 0;
        Handle before = handle;
        for (Handle at = nodes[handle].next; at != handle; before = at, at = nodes[at].next) {
            const OrderBody& order = nodes[at].order;
            hold(nodes[at].prev == before, "neighbors in a queue name each other");
            hold(order.level == handle, "an order names the level it queues at");
            hold(order.side == side && order.symbol == symbol, "an order rests in its own book, on its side");
            hold_order(store, at, waits, count);
            if (!waits && !OrderStore::all_or_none(order) && !count.plain[side]) count.plain[side] = key;
            quantity += order.quantity;
            ++orders;
        }
        hold(nodes[handle].prev == before, "a level names its youngest order");
        hold(orders != 0, "a level has an order");
        hold(orders == level.order_count && quantity == level.quantity, "a level sums its orders");
        count.orders += orders;
        ++count.levels;
        return true;
    });
    hold(ladder.best() == first, "the best level is the first");
    hold(first == nil || ladder.best_key() == nodes[first].level.key, "the best key is the best level's");
}

/// The sums of an index, and what they are sums of.
void hold_index(const OrderStore& store, const Book& book) {
    DepthIndex& index = *book.index;
    const Priority end = Priority::through(Book::any_key);
    std::uint32_t orders = 0;
    for (const Side side : both_sides) {
        index.settle_pending(side);
        std::uint64_t plain = 0;
        std::uint64_t alone = 0;
        std::map<std::uint32_t, std::uint64_t> own;
        store.for_each_queued(book.ladders[side], [&](Handle at) {
            const OrderBody& order = store.order(at);
            const std::uint64_t total = std::uint64_t{order.quantity} + store.reserve_quantity(order);
            const Priority place = index.priority(at);
            ++orders;
            hold(place.key == store.level(order.level).key, "an order is indexed at its price");
            hold(index.plain_before(side, place).all() == plain && index.alone_before(side, place) == alone,
                 "the index sums what is before an order");
            (OrderStore::all_or_none(order) ? alone : plain) += total;
            if ((order.attributes & attribute_participant) != 0) own[store.attributes(at).participant_id] += total;
            if (!OrderStore::all_or_none(order)) return;
            const Priority reach = Priority::through(~place.key);
            const std::uint64_t reached =
                index.plain_before(opposite(side), reach).all() + index.alone_before(opposite(side), reach);
            hold(static_cast<std::uint64_t>(index.deficit(at)) == total - reached, "a deficit is up to date");
        });
        hold(index.plain_before(side, end).all() == plain && index.alone_before(side, end) == alone,
             "the index sums a side");
        own.erase(0);
        for (const auto& [participant_id, total] : own)
            hold(index.own_before(participant_id, side, end).all == total, "the index sums a participant's orders");
    }
    hold(orders == index.orders(), "the index holds the orders of the book");
}

/// The trailing stops of one side. Whole trees are compared with their orders, which are read without changing them.
void hold_trailing(const OrderStore& store, const Book& book, std::uint32_t symbol, Side side, Count& count) {
    struct Tree {
        std::int64_t best_key;
        std::uint64_t accepted = 0;
        std::int64_t anchor = 0;
    };
    std::map<std::int64_t, Tree> trees;  // by distance in basis points; 0: in price units
    TrailingStops::for_each(store.nodes(), store.attributes(), book, side, [&](const TrailingStop& stop) {
        const OrderBody& order = store.order(stop.handle);
        const OrderAttributes& attributes = store.attributes(stop.handle);
        hold(order.side == side && order.symbol == symbol, "a trailing stop waits in its own book, on its side");
        hold_order(store, stop.handle, true, count);
        const bool relative = (attributes.flags & flag_trail_basis_points) != 0;
        const std::int64_t key = TrailingStops::key_at(book, side, stop.anchor, attributes);
        const auto [at, first] = trees.try_emplace(relative ? attributes.distance : 0, Tree{.best_key = key});
        Tree& tree = at->second;
        hold(first || attributes.accepted > tree.accepted, "trailing stops are in order of acceptance");
        hold(first || (side == Side::buy ? stop.anchor >= tree.anchor : stop.anchor <= tree.anchor),
             "the older of two trailing stops has the better anchor");
        tree = {.best_key = std::min(tree.best_key, key), .accepted = attributes.accepted, .anchor = stop.anchor};
        ++count.orders;
        ++count.levels;  // its second node
    });
    const Book::Trailing& trailing = book.trailing[side];
    const auto hold_tree = [&](std::int64_t distance, Handle root) {
        const auto at = trees.find(distance);
        hold(at != trees.end() && store.nodes()[store.order(root).level].trail.best_key == at->second.best_key,
             "a tree of trailing stops knows the first that a price reaches");
    };
    if (trailing.absolute != nil) hold_tree(0, trailing.absolute);
    trailing.relative.for_each(hold_tree);
    hold(trees.size() == trailing.relative.size() + (trailing.absolute != nil ? 1 : 0), "no tree is empty");
}

void hold_all(const OrderStore& store, Crossing crossing) {
    Count all;
    for (std::uint32_t symbol = 0; symbol < store.symbols(); ++symbol) {
        const Book& book = store.books()[symbol];
        Count count;
        for (const Side side : both_sides) {
            hold_ladder(store, book.ladders[side], symbol, side, false, count);
            hold_ladder(store, book.stops[side], symbol, side, true, count);
            hold_trailing(store, book, symbol, side, count);
            hold(count.all_or_none[side] == book.all_or_none[side], "all-or-none orders are counted");
        }
        hold(book.due.first == nil, "no stop is due between two commands");
        count.restricted += (book.phase != TradingPhase::continuous ? 1 : 0) + (is_restricted(book.rules) ? 1 : 0) +
                            (book.index != nullptr ? 1 : 0);
        if (book.index != nullptr) hold_index(store, book);
        hold(count.restricted == book.restricted, "what a simple command must know of is counted");
        const bool may_cross = crossing == Crossing::always || book.phase != TradingPhase::continuous;
        hold(!count.crossed() || may_cross, "a book is crossed by all-or-none orders only, or while nothing trades");
        all.orders += count.orders;
        all.levels += count.levels;
        all.attributes_handle += count.attributes_handle;
        all.expiring += count.expiring;
    }
    hold(all.orders == store.live_orders(), "live orders are those in the queues");
    hold(all.orders + all.levels == store.nodes().in_use(), "every node in use is an order or a level");
    hold(all.attributes_handle == store.attributes().in_use(), "all attributes in use are an order's");
    hold(all.expiring == store.expiries().size(), "every order that expires is in the heap");
    hold(store.live_orders() <= store.orders_max(), "no more orders than the pool has");
}

}  // namespace

const char* find_violation(const OrderStore& store, Crossing crossing) {
    try {
        hold_all(store, crossing);
    } catch (const Violation& violation) {
        return violation.rule;
    }
    return nullptr;
}

void check_invariants(const OrderStore& store, Crossing crossing) {
    if (const char* rule = find_violation(store, crossing); rule != nullptr) broken(rule);
}

}  // namespace lowlat
