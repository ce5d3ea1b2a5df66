// The ladder compared with an ordered map: same best and same order for any keys, at no more than a multiple of the
// map's cost, however the keys jump.
#include <algorithm>
#include <ctime>
#include <limits>
#include <map>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/ladder.hpp"
#include "tests/native/checks.hpp"

namespace ladder_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using Model = std::map<std::int64_t, Handle>;

/// A ladder with its own memory.
struct Owned {
    Owned(std::uint32_t places, std::size_t levels)
        : window(places),
          bits(BitmapTree::words(places)),
          nodes(sparse_nodes(levels, 1) + 1),
          room(nodes.data(), static_cast<std::uint32_t>(nodes.size() - 1)),
          ladder(window.data(), bits.data(), places, &room) {}
    std::vector<Handle> window;
    std::vector<std::uint64_t> bits;
    std::vector<SparseNode> nodes;
    SparseRoom room;
    Ladder ladder;
};

void check_equal(Ladder& ladder, const Model& model) {
    check(ladder.levels() == model.size(), "as many levels");
    auto expected = model.begin();
    ladder.for_each([&](std::int64_t key, Handle level) {
        check(expected != model.end() && key == expected->first && level == expected->second, "levels in order");
        ++expected;
        return true;
    });
    check(expected == model.end(), "every level is visited");
}

void check_best(const Ladder& ladder, const Model& model) {
    check((ladder.best() == nil) == model.empty(), "a side is empty or has a best level");
    if (model.empty()) {
        check(ladder.best_key() == Ladder::worst_key, "an empty side's best key is the worst");
    } else {
        check(ladder.best() == model.begin()->second && ladder.best_key() == model.begin()->first, "the best level");
    }
}

void check_after(const Ladder& ladder, const Model& model, std::int64_t key) {
    const auto expected = model.upper_bound(key);
    const Ladder::Place found = ladder.after(key);
    check((found.level == nil) == (expected == model.end()), "there is a next level, or none");
    if (expected != model.end())
        check(found.key == expected->first && found.level == expected->second, "the next level");
}

constexpr std::uint32_t moves_max = 10;

/// Draws keys, adds a level where there is none and takes it away where there is one.
template <typename Draw>
void against_a_map(std::uint32_t places, int steps, std::size_t levels_max, Draw draw) {
    Owned owned(places, levels_max);
    Ladder& ladder = owned.ladder;
    Model model;
    Random random(places);
    std::uint32_t next = 1;
    std::uint32_t outside_before = 0;
    std::map<Handle, Handle> leaves;
    for (int step = 0; step < steps; ++step) {
        std::int64_t key = draw(random);
        const auto found = model.find(key);
        check(ladder.find(key) == (found == model.end() ? nil : found->second), "a level is found, or none");
        if (found == model.end() && model.size() == levels_max) key = model.begin()->first;
        if (const auto there = model.find(key); there != model.end()) {
            ladder.erase(key, there->second, leaves[there->second]);
            model.erase(there);
        } else {
            const Handle level{next++};
            ladder.insert(key, level, leaves[level]);
            model.emplace(key, level);
        }
        check_best(ladder, model);
        check_after(ladder, model, draw(random));
        const std::uint32_t outside = ladder.levels_outside_window();
        check(std::max(outside, outside_before) - std::min(outside, outside_before) <= moves_max,
              "no operation moves more than a few levels");
        outside_before = outside;
        if (step % 512 == 0) check_equal(ladder, model);
    }
    check_equal(ladder, model);
    ladder.reset();
    check_equal(ladder, {});
    Handle leaf = nil;
    ladder.insert(draw(random), Handle{1}, leaf);
    check(ladder.levels() == 1, "a reset ladder takes levels");
}

std::int64_t any_of(Random& random) {
    return static_cast<std::int64_t>(random.next());
}

const Register near("ladder: keys within the window", [] {
    against_a_map(256, 200'000, 300, [](Random& random) { return std::int64_t{random.below(200)}; });
});
const Register around("ladder: keys around the edges of a window", [] {
    against_a_map(256, 400'000, 600, [](Random& random) { return std::int64_t{random.below(1024)} - 512; });
});
const Register anywhere("ladder: keys anywhere in int64", [] { against_a_map(256, 200'000, 500, any_of); });
const Register at_lowest("ladder: keys at the lowest end of int64", [] {
    against_a_map(256, 200'000, 500, [](Random& random) { return lowest + random.below(700); });
});
const Register at_highest("ladder: keys at the highest end of int64", [] {
    against_a_map(256, 200'000, 500, [](Random& random) { return highest - random.below(700); });
});
const Register both_ends("ladder: keys at both ends of int64 and between", [] {
    against_a_map(256, 400'000, 500, [](Random& random) {
        const std::int64_t step = random.below(150);
        const std::int64_t keys[] = {lowest + step, highest - step, step, any_of(random)};
        return keys[random.below(4)];
    });
});
const Register few("ladder: a side of few levels, often empty, at both ends of int64", [] {
    for (const std::size_t levels : {1U, 2U, 4U}) {
        against_a_map(256, 100'000, levels, [](Random& random) {
            const std::int64_t step = random.below(4) * 90;
            const std::int64_t keys[] = {lowest + step, highest - step, highest - 128 + step / 90, step};
            return keys[random.below(4)];
        });
    }
});
const Register moving("ladder: a best key that travels through many windows", [] {
    std::int64_t at = 0;
    against_a_map(256, 400'000, 500, [&at](Random& random) {
        at += random.coin() ? 3 : -2;
        return at + random.below(40);
    });
});
const Register large("ladder: a window as large as one book's", [] {
    against_a_map(1U << 17, 200'000, 500, [](Random& random) {
        const std::int64_t center = (std::int64_t{random.below(5)} - 2) * 60'000;
        return center + random.below(100);
    });
});

// -- cost ---------------------------------------------------------------------------------------------------------

struct Step {
    std::int64_t key;
    Handle level;  // nil: take the level away
};

/// CPU time of this thread, which other work on the machine does not lengthen.
double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// What the ladder needs for steps, over what a map needs for the same.
double cost_over_map(const std::vector<std::int64_t>& standing, const std::vector<Step>& steps) {
    double ratio = std::numeric_limits<double>::max();
    for (int repeat = 0; repeat < 3; ++repeat) {
        Owned owned(1U << 17, standing.size() + 2);
        Model model;
        Handle leaf = nil;
        std::uint32_t next = 1;
        for (const std::int64_t key : standing) {
            const Handle level{next++};
            owned.ladder.insert(key, level, leaf);
            model.emplace(key, level);
        }
        const double start = cpu_ns();
        for (const Step& step : steps) {
            if (step.level != nil) {
                if (owned.ladder.find(step.key) == nil) owned.ladder.insert(step.key, step.level, leaf);
            } else {
                owned.ladder.erase(step.key, owned.ladder.find(step.key), nil);
            }
        }
        const double middle = cpu_ns();
        for (const Step& step : steps) {
            if (step.level != nil) {
                model.emplace(step.key, step.level);
            } else {
                model.erase(step.key);
            }
        }
        const double end = cpu_ns();
        check_equal(owned.ladder, model);
        ratio = std::min(ratio, (middle - start) / (end - middle));
    }
    return ratio;
}

constexpr Handle new_level{0x0FFF'FFFF};
constexpr int many = 50'000;
constexpr double bound = 20;  // measured: at most 3; going over the levels at every jump: thousands

std::vector<std::int64_t> spread_over_int64() {
    std::vector<std::int64_t> keys;
    for (std::int64_t at = -many / 2; at < many / 2; ++at) keys.push_back(at * (highest / many * 2));
    return keys;
}

std::vector<std::int64_t> side_by_side(std::int64_t from) {
    std::vector<std::int64_t> keys;
    for (std::int64_t at = 0; at < many; ++at) keys.push_back(from + at);
    return keys;
}

const Register ping_pong("ladder: a best key that jumps between near and far costs what a map does", [] {
    for (const std::int64_t far : {lowest, std::int64_t{-10'000'000}, std::int64_t{-140'000}}) {
        std::vector<Step> steps;
        for (int turn = 0; turn < 300'000; ++turn) {
            const std::int64_t key = turn % 2 == 0 ? far : -1;
            steps.push_back({key, new_level});
            steps.push_back({key, nil});
        }
        check(cost_over_map(side_by_side(0), steps) < bound, "moving the window is paid by the misses");
    }
});

const Register two_clusters("ladder: a best key between two crowds costs what a map does", [] {
    // Two crowds of levels too far apart for one window, and single levels that come and go at three places, each
    // long enough for the window to follow.
    std::vector<std::int64_t> standing = side_by_side(0);
    const std::vector<std::int64_t> second = side_by_side(10'000'000);
    standing.insert(standing.end(), second.begin(), second.end());
    std::vector<Step> steps;
    for (int turn = 0; turn < 600'000; ++turn) {
        const std::int64_t key = turn / (many + 100) % 2 == 0 ? -20'000'000 : 20'000'000;
        steps.push_back({key, new_level});
        steps.push_back({key, nil});
    }
    check(cost_over_map(standing, steps) < bound, "moving the window is paid by the misses");
});

const Register sparse("ladder: 50,000 levels over all of int64 cost what a map does", [] {
    std::vector<Step> steps;
    Random random(1);
    const std::vector<std::int64_t> standing = spread_over_int64();
    for (int turn = 0; turn < 300'000; ++turn) {
        const std::int64_t key = standing[random.below(many)] + 1 + random.below(1'000);
        steps.push_back({key, new_level});
        steps.push_back({key, nil});
    }
    check(cost_over_map(standing, steps) < bound, "a level outside the window costs a map's step or a few");
});

}  // namespace

}  // namespace ladder_tests
