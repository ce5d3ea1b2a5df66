// When a book has an index. The cost of building it is paid for by the walks before, which took at least four steps for
// each order of the book; it is dropped once as many commands have not used it. So neither costs more than a constant,
// amortized, and a book in which nothing walks far never has one.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "engine/native/matching/book.hpp"
#include "engine/native/matching/depth_index.hpp"
#include "engine/native/matching/order_store.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

inline std::uint64_t count_orders(const OrderStore& store, const Book& book) {
    std::uint64_t orders = 0;
    for (const Ladder& ladder : book.ladders)
        ladder.for_each([&](std::int64_t, Handle level) {
            orders += store.level(level).order_count;
            return true;
        });
    return orders;
}

/// Build the book's index if walks have cost more than that. Without memory for it, walking goes on.
LOWLAT_APART inline void build_index(OrderStore& store, Book& book) {
    if (!book.walks.worth(count_orders(store, book))) return;
    book.walks = {};
    try {
        auto index = std::make_unique<DepthIndex>(store.nodes(), store.attributes(), store.depth_entries());
        index->fill([&](Side side, auto visit) { store.for_each_queued(book.ladders[side], visit); });
        book.index = std::move(index);
        book.note(1);
    } catch (const std::bad_alloc&) {
        book.index.reset();
    }
}

/// Between two changes of the book, before something that may walk.
LOWLAT_INLINE void consider_index(OrderStore& store, Book& book) {
    if (unlikely(book.walks.excessive()) && book.index == nullptr) build_index(store, book);
}

/// Before a command.
LOWLAT_INLINE void tend_index(OrderStore& store, Book& book) {
    if (unlikely(book.index != nullptr)) {
        if (book.walks.index_idles(book.index->orders())) book.drop_index();
    } else {
        consider_index(store, book);
    }
}

}  // namespace lowlat
