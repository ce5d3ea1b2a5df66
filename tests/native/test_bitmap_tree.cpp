// The bitmap of taken places gives the same results as a plain array of bools.
#include <iterator>
#include <set>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/bitmap_tree.hpp"
#include "tests/native/checks.hpp"

namespace bitmap_tree_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

void against_a_set(std::uint32_t places, std::uint32_t spread) {
    std::vector<std::uint64_t> words(BitmapTree::words(places));
    BitmapTree occupancy(words.data(), places);
    std::set<std::uint32_t> model;
    Random random(places + spread);
    const auto next = [&](auto found) { return found == model.end() ? BitmapTree::none : *found; };
    const auto previous = [&](auto found) { return found == model.begin() ? BitmapTree::none : *std::prev(found); };
    for (int step = 0; step < 200'000; ++step) {
        // Steps over the places in strides, so that words and groups fill up and empty.
        const std::uint32_t place = random.below(spread) * (places / spread);
        if (model.contains(place)) {
            occupancy.clear(place);
            model.erase(place);
        } else {
            occupancy.set(place);
            model.insert(place);
        }
        const std::uint32_t from = random.below(places);
        check(occupancy.test(from) == model.contains(from), "a place is taken or not");
        check(occupancy.first() == next(model.begin()), "the first taken place");
        check(occupancy.last() == previous(model.end()), "the last taken place");
        check(occupancy.next(from) == next(model.upper_bound(from)), "the next taken place behind any");
        check(occupancy.previous(from) == previous(model.lower_bound(from)), "the last taken place before any");
        check(occupancy.next(place) == next(model.upper_bound(place)), "the next taken place behind the one changed");
    }
    while (!model.empty()) {
        occupancy.clear(*model.begin());
        model.erase(model.begin());
        check(occupancy.first() == next(model.begin()), "the first of those left");
    }
    for (const std::uint64_t word : words) check(word == 0, "empty is all zero, in every layer");
}

const Register small("occupancy: 64 places", [] { against_a_set(64, 64); });
const Register least("occupancy: 256 places, the least a ladder has", [] { against_a_set(256, 256); });
const Register group("occupancy: 4,096 places, one group", [] { against_a_set(4096, 128); });
const Register most("occupancy: 131,072 places, sparse", [] { against_a_set(1U << 17, 64); });
const Register dense("occupancy: 131,072 places, dense", [] { against_a_set(1U << 17, 1U << 11); });
const Register all("occupancy: as many places as there can be", [] { against_a_set(BitmapTree::places_max, 512); });

const Register ends("occupancy: the first and the last place", [] {
    std::vector<std::uint64_t> words(BitmapTree::words(BitmapTree::places_max));
    BitmapTree occupancy(words.data(), BitmapTree::places_max);
    check(occupancy.first() == BitmapTree::none, "nothing is taken");
    occupancy.set(BitmapTree::places_max - 1);
    check(occupancy.first() == BitmapTree::places_max - 1 && occupancy.next(0) == BitmapTree::places_max - 1,
          "the last");
    occupancy.set(0);
    check(occupancy.first() == 0, "the first");
    check(occupancy.next(BitmapTree::places_max - 1) == BitmapTree::none, "nothing behind the last");
});

}  // namespace

}  // namespace bitmap_tree_tests
