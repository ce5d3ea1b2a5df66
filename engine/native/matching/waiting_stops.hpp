// All waiting stops of one side in the order in which a moving price reaches them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "engine/native/matching/order_store.hpp"
#include "engine/native/matching/trailing_stops.hpp"

namespace lowlat {

struct WaitingStop {
    std::int64_t key;     // of its trigger
    std::uint64_t since;  // when it came to it
    std::uint64_t accepted;
    Handle handle;
    std::int64_t anchor;  // of a trailing stop, else 0
};

/// Stops that trail and stops that do not, merged.
inline std::vector<WaitingStop> waiting_stops(const OrderStore& store, const Book& book, Side side) {
    std::vector<WaitingStop> stops;
    store.for_each_queued(book.stops[side], [&](Handle at) {
        const OrderAttributes& stop = store.attributes(at);
        stops.push_back({.key = store.level(store.order(at).level).key,
                         .since = static_cast<std::uint64_t>(stop.anchor),
                         .accepted = stop.accepted,
                         .handle = at,
                         .anchor = 0});
    });
    if (book.trailing[side].empty()) return stops;
    TrailingStops::for_each(store.nodes(), store.attributes(), book, side, [&](const TrailingStop& stop) {
        const OrderAttributes& attributes = store.attributes(stop.handle);
        stops.push_back({.key = TrailingStops::key_at(book, side, stop.anchor, attributes),
                         .since = stop.since,
                         .accepted = attributes.accepted,
                         .handle = stop.handle,
                         .anchor = stop.anchor});
    });
    std::ranges::sort(stops, {}, [](const WaitingStop& stop) { return std::tie(stop.key, stop.since, stop.accepted); });
    return stops;
}

}  // namespace lowlat
