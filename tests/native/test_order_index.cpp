// The index from order id to handle against an unordered map: for ids that come in order, in strides, at random, or
// equal in the half that is its tag; and without rehashing more than once for any of them.
#include <deque>
#include <unordered_map>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/order_index.hpp"
#include "tests/native/checks.hpp"

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// The index as the matcher uses it: ids are kept by handle, and a poor insertion leads to another hash.
class Owned {
  public:
    explicit Owned(std::uint32_t entries)
        : slots_(OrderIndex::slots_for(entries)), ids_(entries + 1), index_(slots_, 0) {
        for (std::uint32_t index = entries; index > 0; --index) free_.push_back(Handle{index});
    }

    Handle find(std::uint64_t id) const {
        return index_.find(index_.tag(id, 0), [&](Handle handle) { return ids_[index_of(handle)] == id; });
    }

    void insert(std::uint64_t id) {
        const Handle handle = free_.back();
        free_.pop_back();
        ids_[index_of(handle)] = id;
        live_.emplace(id, handle);
        if (index_.insert(index_.tag(id, 0), handle)) return;
        index_.rehash();
        index_.clear();
        for (const auto& [other, its] : live_) index_.insert(index_.tag(other, 0), its);
    }

    void erase(std::uint64_t id) {
        const auto found = live_.find(id);
        index_.erase(index_.tag(id, 0), found->second);
        free_.push_back(found->second);
        live_.erase(found);
    }

    void check_all() const {
        for (const auto& [id, handle] : live_) check(find(id) == handle, "every live id is found");
        std::size_t taken = 0;
        for (const OrderIndex::Slot& slot : slots_) taken += slot.handle != nil;
        check(taken == live_.size(), "one slot for each live id");
    }

    std::uint32_t rehashes() const { return index_.seed(); }
    bool holds(std::uint64_t id) const { return live_.contains(id); }

  private:
    std::vector<OrderIndex::Slot> slots_;
    std::vector<std::uint64_t> ids_;
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
    check(slide([](std::uint64_t at) { return at * 3; }) <= 1, "and with gaps");
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

const Register wrap("id index: entries pushed from the end of the table to its start", [] {
    const std::uint64_t slots = OrderIndex::slots_for(entries);
    // Homes in the last four slots and the first four: chains run across the end in every mixture.
    Random random(3);
    Owned owned(entries);
    std::unordered_map<std::uint64_t, bool> here;
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
    check(owned.rehashes() == 0, "forty entries are no reason to rehash");
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
    std::vector<OrderIndex::Slot> slots(OrderIndex::slots_for(1'000));
    const OrderIndex index(slots, 0);
    std::unordered_map<std::uint32_t, int> homes;
    for (std::uint32_t symbol = 0; symbol < 1'000; ++symbol)
        ++homes[static_cast<std::uint32_t>(index.tag(1, symbol)) & static_cast<std::uint32_t>(slots.size() - 1)];
    int most = 0;
    for (const auto& [home, count] : homes) most = std::max(most, count);
    check(most <= 4, "lies in different places");
});

}  // namespace
