// The tree of far levels compared with an ordered map, in a room of exactly as many nodes as it may need.
#include <limits>
#include <map>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/sparse_levels.hpp"
#include "tests/native/checks.hpp"

namespace sparse_levels_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using Model = std::map<std::int64_t, Handle>;

/// Trees that share the nodes for so many levels, and what should be in them.
struct Forest {
    Forest(std::size_t levels, std::size_t trees)
        : levels_max(levels),
          nodes(sparse_nodes(levels, trees) + 1),
          room(nodes.data(), static_cast<std::uint32_t>(nodes.size() - 1)),
          all(trees, SparseLevels(&room)),
          models(trees) {}

    /// Add the key, or remove it if it is there.
    void flip(std::size_t tree, std::int64_t key) {
        Model& model = models[tree];
        if (const auto found = model.find(key); found != model.end()) {
            check(all[tree].find(key) == found->second, "a key is found");
            all[tree].erase(key, found->second, leaves[found->second]);
            model.erase(found);
            --levels;
        } else if (levels != levels_max) {
            check(all[tree].find(key) == nil, "a key that is not there is not found");
            ++last;
            leaves[Handle{last}] = all[tree].insert(key, Handle{last});
            model.emplace(key, Handle{last});
            ++levels;
        }
    }

    void check_neighbors(std::size_t tree, std::int64_t key) const {
        const SparseLevels& levels_here = all[tree];
        const Model& model = models[tree];
        const auto after = model.upper_bound(key);
        const SparseLevels::Entry next = levels_here.after(key);
        check((next == SparseLevels::end) == (after == model.end()), "there is a next key, or none");
        if (after != model.end()) check(levels_here.key(next) == after->first, "the next key");
        const auto not_less = model.lower_bound(key);
        const SparseLevels::Entry before = levels_here.before(key);
        check((before == SparseLevels::end) == (not_less == model.begin()), "there is a key before, or none");
        if (not_less != model.begin()) check(levels_here.key(before) == std::prev(not_less)->first, "the key before");
    }

    void check_all() const {
        for (std::size_t tree = 0; tree < all.size(); ++tree) {
            auto expected = models[tree].begin();
            all[tree].for_each([&](std::int64_t key, Handle handle) {
                check(expected != models[tree].end() && key == expected->first && handle == expected->second,
                      "entries in order");
                ++expected;
            });
            check(expected == models[tree].end() && all[tree].size() == models[tree].size(), "every entry");
        }
    }

    std::size_t levels_max;
    std::vector<SparseNode> nodes;
    SparseRoom room;
    std::vector<SparseLevels> all;
    std::vector<Model> models;
    std::map<Handle, Handle> leaves;
    std::size_t levels = 0;
    std::uint32_t last = 0;
};

template <typename Draw>
void against_maps(Forest& forest, int steps, Draw draw) {
    Random random(7);
    for (int step = 0; step < steps; ++step) {
        const auto tree = static_cast<std::size_t>(random.below(static_cast<std::uint32_t>(forest.all.size())));
        forest.flip(tree, draw(random, step));
        forest.check_neighbors(tree, draw(random, step));
        if (step % 4'096 == 0) forest.check_all();
    }
    forest.check_all();
    for (SparseLevels& tree : forest.all) tree.clear();
    check(forest.room.in_use() == 0, "a cleared tree has freed its nodes");
}

const Register anywhere("sparse levels: keys anywhere in int64, both ends included", [] {
    Forest forest(3'000, 1);
    against_maps(forest, 100'000, [](Random& random, int) {
        const std::int64_t step = random.below(20);
        const std::int64_t keys[] = {lowest + step, highest - step, static_cast<std::int64_t>(random.next())};
        return keys[random.below(3)];
    });
});
const Register crowded("sparse levels: few keys, all of which come and go", [] {
    Forest forest(700, 1);
    against_maps(forest, 200'000, [](Random& random, int) { return std::int64_t{random.below(700)}; });
});
const Register many("sparse levels: many trees share their nodes, most with a level or none", [] {
    Forest forest(400, 300);
    against_maps(forest, 200'000,
                 [](Random& random, int step) { return std::int64_t{random.below(step / 20'000 % 2 == 0 ? 2 : 200)}; });
});
const Register ramps("sparse levels: keys that rise, and others that are taken from either end", [] {
    Forest forest(5'000, 1);
    for (int turn = 0; turn < 6; ++turn) {
        for (std::int64_t key = 0; key < 5'000; ++key) forest.flip(0, turn % 2 == 0 ? key : -key);
        check(forest.levels == 5'000, "all levels have room");
        for (std::int64_t key = 0; key < 5'000; ++key) {
            const std::int64_t from_end = turn < 2 ? key : 4'999 - key;
            forest.flip(0, turn % 2 == 0 ? from_end : -from_end);
        }
        check(forest.room.in_use() == 0, "an empty tree has no nodes");
    }
});
// Where every node has the fewest entries, most nodes are in use.
const Register thin("sparse levels: half of the keys are taken away between all others, then added elsewhere", [] {
    Forest forest(40'000, 1);
    for (std::int64_t key = 0; key < 40'000; ++key) forest.flip(0, key);
    for (std::int64_t key = 0; key < 40'000; ++key)
        if (key % 31 >= 15) forest.flip(0, key);
    for (std::int64_t key = 40'000; forest.levels != forest.levels_max; ++key) forest.flip(0, key);
    forest.check_all();
});

}  // namespace

}  // namespace sparse_levels_tests
