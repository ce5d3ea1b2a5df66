// The index from order id to handle against an unordered map: for ids that come in order, in strides, at random, or
// equal in the half that is its slot; and without rehashing more than once for any of them.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/order_index.hpp"
#include "tests/native/checks.hpp"

namespace order_index_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// Of each handle, the next in its chain.
struct Links {
    Handle& operator()(Handle handle) const { return (*of)[index_of(handle)]; }

    std::vector<Handle>* of;
};

/// The index as the matcher uses it: ids are kept by handle, and a poor insertion leads to another hash.
class Owned {
  public:
    explicit Owned(std::uint32_t entries)
        : slots_(OrderIndex::slots_for(entries)), ids_(entries + 1), links_(entries + 1), index_(slots_) {
        for (std::uint32_t index = entries; index > 0; --index) free_.push_back(Handle{index});
    }

    Handle find(std::uint64_t id) const {
        const auto is = [&](Handle handle) { return ids_[index_of(handle)] == id; };
        return OrderIndex::find(index_.first(index_.home(id, 0)), is,
                                [this](Handle handle) { return links_[index_of(handle)]; });
    }

    void insert(std::uint64_t id) {
        const Handle handle = free_.back();
        free_.pop_back();
        ids_[index_of(handle)] = id;
        live_.emplace(id, handle);
        if (index_.insert(index_.home(id, 0), handle, Links{&links_})) return;
        index_.rehash();
        for (const auto& [other, its] : live_) index_.insert(index_.home(other, 0), its, Links{&links_});
    }

    void erase(std::uint64_t id) {
        const auto found = live_.find(id);
        index_.erase(index_.home(id, 0), found->second, Links{&links_});
        free_.push_back(found->second);
        live_.erase(found);
    }

    void check_all() const {
        for (const auto& [id, handle] : live_) check(find(id) == handle, "every live id is found");
        std::size_t held = 0;
        for (const Handle first : slots_) {
            std::uint32_t length = 0;
            for (Handle at = first; at != nil; at = links_[index_of(at)]) ++length;
            check(length <= OrderIndex::chain_max, "no chain is long");
            held += length;
        }
        check(held == live_.size(), "one entry for each live id");
    }

    /// Double its room; the index uses the new slots as grow() is called again.
    void double_room() {
        const auto entries = static_cast<std::uint32_t>(ids_.size() - 1);
        for (std::uint32_t index = 2 * entries; index > entries; --index) free_.push_back(Handle{index});
        ids_.resize(2 * entries + 1);
        links_.resize(2 * entries + 1);
        slots_.resize(2 * slots_.size());
        index_.move_to(slots_.data());
        index_.double_slots();
    }

    void grow(std::uint64_t slots) {
        const auto home_of = [this](Handle handle) { return index_.home(ids_[index_of(handle)], 0); };
        index_.split(std::min<std::uint64_t>(index_.used() + slots, index_.slots()), home_of, Links{&links_});
    }

    std::uint32_t rehashes() const { return index_.seed(); }
    bool holds(std::uint64_t id) const { return live_.contains(id); }

  private:
    std::vector<Handle> slots_;
    std::vector<std::uint64_t> ids_;
    std::vector<Handle> links_;
    std::vector<Handle> free_;
    std::unordered_map<std::uint64_t, Handle> live_;
    OrderIndex index_;
};

constexpr std::uint32_t entries = 3'000;

/// Orders enter with ids `id_of(0)`, `id_of(1)` ...; when all entries are taken, one of the oldest leaves.
template <typename IdOf>
std::uint32_t slide(IdOf id_of, int steps = 60'000) {
    Owned owned(entries);
    std::deque<std::uint64_t> order;
    Random random(1);
    for (int step = 0; step < steps; ++step) {
        if (order.size() == entries) {
            const std::size_t at = random.below(64);
            const std::uint64_t gone = order[at];
            order.erase(order.begin() + static_cast<std::ptrdiff_t>(at));
            owned.erase(gone);
            check(owned.find(gone) == nil, "an id that left is not found");
        }
        const std::uint64_t id = id_of(static_cast<std::uint64_t>(step));
        if (owned.holds(id)) continue;
        check(owned.find(id) == nil, "an id that never came is not found");
        owned.insert(id);
        order.push_back(id);
        if (step % 4'096 == 0) owned.check_all();
    }
    owned.check_all();
    return owned.rehashes();
}

const Register dense("id index: ids that count up never need a hash", [] {
    check(slide([](std::uint64_t at) { return at; }) == 0, "dense ids are their own index");
    check(slide([](std::uint64_t at) { return (std::uint64_t{1} << 32) - 30'000 + at; }) == 0, "also across 2^32");
    check(slide([](std::uint64_t at) { return at - 30'000; }) == 0, "and across 2^64");
    check(slide([](std::uint64_t at) { return ~at; }) == 0, "and downward");
    check(slide([](std::uint64_t at) { return at * 3; }) == 0, "and with gaps");
});

const Register strided("id index: ids with a common stride", [] {
    for (const std::uint64_t stride : {2ULL, 64ULL, 4096ULL, 65'536ULL, 1ULL << 20, 1ULL << 31, (1ULL << 31) + 1}) {
        check(slide([stride](std::uint64_t at) { return at * stride; }) <= 1, "one hash will do");
    }
});

const Register high("id index: ids that differ in their high half only", [] {
    check(slide([](std::uint64_t at) { return at << 32; }) == 1, "they are told apart by a hash");
    check(slide([](std::uint64_t at) { return at << 32 | 5; }) == 1, "they are told apart by a hash");
    check(slide([](std::uint64_t at) { return at << 44; }) == 1, "they are told apart by a hash");
});

const Register random_ids("id index: ids at random", [] {
    Random random(7);
    check(slide([&](std::uint64_t) { return random.next(); }) <= 1, "one hash will do");
});

const Register chains("id index: orders leave from the front, the middle and the back of chains", [] {
    const std::uint64_t slots = OrderIndex::slots_for(entries);
    // Eight slots at both ends of the table, each of up to five orders.
    Random random(3);
    Owned owned(entries);
    for (int step = 0; step < 200'000; ++step) {
        const std::uint64_t id = (slots * (1 + random.below(5))) - 4 + random.below(8);
        if (owned.holds(id)) {
            owned.erase(id);
        } else {
            owned.insert(id);
        }
        const std::uint64_t other = (slots * (1 + random.below(5))) - 4 + random.below(8);
        check((owned.find(other) != nil) == owned.holds(other), "found when there");
        if (step % 1'024 == 0) owned.check_all();
    }
    check(owned.rehashes() == 1, "chains of two on average are given up once");
});

const Register chosen("id index: ids chosen to share a slot", [] {
    // Few among many that are well spread, so that chains are short on average.
    const std::uint64_t slots = OrderIndex::slots_for(entries);
    Owned owned(entries);
    std::uint32_t crowded = 0;
    for (std::uint64_t at = 1; at <= entries; ++at) {
        const bool crowds = at % 32 == 0;
        owned.insert(crowds ? slots * at : at);
        crowded += crowds ? 1 : 0;
        check(owned.rehashes() == (crowded > OrderIndex::chain_max ? 1 : 0), "a chain is given up when it is long");
    }
    owned.check_all();
});

/// Orders come and go while the index grows slot by slot, twice.
template <typename IdOf>
std::uint32_t slide_and_grow(IdOf id_of) {
    Owned owned(256);
    std::deque<std::uint64_t> order;
    Random random(5);
    for (std::uint64_t step = 0; step < 3'000; ++step) {
        if (step == 500 || step == 1'500) owned.double_room();
        owned.grow(random.below(4));
        const std::uint64_t id = id_of(step);
        owned.insert(id);
        order.push_back(id);
        const std::size_t room = step < 500 ? 250 : step < 1'500 ? 500 : 1'000;
        while (order.size() > room) {
            const std::size_t at = random.below(order.size());
            owned.erase(order[at]);
            order.erase(order.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (step % 16 == 0) owned.check_all();
    }
    return owned.rehashes();
}

const Register growing("id index: every id is found while the index grows slot by slot", [] {
    check(slide_and_grow([](std::uint64_t at) { return at; }) == 0, "dense ids, without a hash");
    check(slide_and_grow([](std::uint64_t at) { return at << 32; }) == 1, "ids that need one, with one hash");
    Random random(9);
    check(slide_and_grow([&](std::uint64_t) { return random.next(); }) <= 1, "ids at random");
});

const Register oldest("id index: long-lived orders among ids that count up", [] {
    // An order in ten stays until it is the oldest of 1,500, while the ids of the others pass them many times.
    Owned owned(entries);
    std::deque<std::uint64_t> stay;
    for (std::uint64_t id = 1; id <= 200'000; ++id) {
        owned.insert(id);
        if (id % 10 != 0) {
            if (id > 1) owned.erase(id);
            continue;
        }
        stay.push_back(id);
        if (stay.size() < 1'500) continue;
        owned.erase(stay.front());
        stay.pop_front();
    }
    owned.check_all();
    check(owned.rehashes() == 0, "which is no reason to give up the direct index");
});

const Register full("id index: as full as it gets", [] {
    for (std::uint32_t sized = 1; sized < 200; ++sized) {
        Owned owned(sized);
        Random random(sized);
        std::vector<std::uint64_t> ids;
        while (ids.size() < sized) {
            const std::uint64_t id = random.next();
            owned.insert(id);
            ids.push_back(id);
        }
        owned.check_all();
        check(owned.find(random.next()) == nil, "what is not there ends the search");
        for (const std::uint64_t id : ids) owned.erase(id);
        owned.check_all();
    }
});

const Register symbols("id index: the same id in many books", [] {
    std::vector<Handle> slots(OrderIndex::slots_for(1'000));
    const OrderIndex index(slots);
    std::unordered_map<std::uint32_t, int> homes;
    for (std::uint32_t symbol = 0; symbol < 1'000; ++symbol) ++homes[static_cast<std::uint32_t>(index.home(1, symbol))];
    int most = 0;
    for (const auto& [home, count] : homes) most = std::max(most, count);
    check(most <= 4, "lies in different places");
});

}  // namespace

}  // namespace order_index_tests
