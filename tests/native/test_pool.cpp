// The pool hands out each node once, last released first, and aborts before the book would be corrupted.
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/pool.hpp"
#include "tests/native/checks.hpp"

namespace pool_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

struct Node {
    Handle next;
    Handle prev;
};

struct Three {
    std::vector<Node> nodes = std::vector<Node>(4);
    Pool<Node> pool{nodes.data(), 3};
};

// What an owner does to a node it has acquired: link it somewhere.
Handle acquire(Pool<Node>& pool) {
    const Handle handle = pool.acquire();
    if (handle != nil) pool[handle] = {handle, handle};
    return handle;
}

const Register hands_out_each_once("pool: hands out each node once, then none", [] {
    Three three;
    check(acquire(three.pool) == Handle{1} && acquire(three.pool) == Handle{2} && acquire(three.pool) == Handle{3},
          "handles count up from 1");
    check(three.pool.acquire() == nil && three.pool.acquire() == nil,
          "an exhausted pool has none, however often asked");
    check(three.pool.in_use() == 3, "asking an exhausted pool takes nothing");
});

const Register last_released_first("pool: the last released is the first acquired", [] {
    Three three;
    for (int taken = 0; taken < 3; ++taken) acquire(three.pool);
    for (const Handle handle : {Handle{2}, Handle{1}, Handle{3}}) three.pool.release(handle);
    check(three.pool.in_use() == 0, "all are back");
    check(acquire(three.pool) == Handle{3} && acquire(three.pool) == Handle{1} && acquire(three.pool) == Handle{2},
          "last in, first out");
    check(three.pool.acquire() == nil, "and then none");
});

const Register released_twice("pool: a node released twice stops the process", [] {
    check(aborts([] {
              Three three;
              const Handle handle = acquire(three.pool);
              three.pool.release(handle);
              three.pool.release(handle);
          }),
          "a double release aborts");
    check(!aborts([] {
        Three three;
        three.pool.release(acquire(three.pool));
        three.pool.release(acquire(three.pool));
    }),
          "releasing what was acquired again does not");
});

const Register reset_frees_all("pool: after a reset all are free, the state as new", [] {
    Three three;
    for (int taken = 0; taken < 3; ++taken) acquire(three.pool);
    three.pool.release(Handle{2});
    three.pool.reset();
    check(three.pool.in_use() == 0 && three.pool.high_water() == 0, "nothing is in use");
    for (const Handle expected : {Handle{1}, Handle{2}, Handle{3}, nil})
        check(acquire(three.pool) == expected, "handles from 1 again");
    three.pool.release(Handle{2});
    check(three.pool.is_free(Handle{2}) && !three.pool.is_free(Handle{1}), "only what was released is free");
});

const Register against_a_list("pool: a million random steps against a list", [] {
    constexpr std::uint32_t capacity = 100;
    std::vector<Node> nodes(capacity + 1);
    Pool<Node> pool(nodes.data(), capacity);
    std::vector<Handle> held;
    std::vector<Handle> released;
    Random random(1);
    for (int step = 0; step < 1'000'000; ++step) {
        if (random.coin()) {
            const Handle handle = acquire(pool);
            check((handle == nil) == (held.size() == capacity), "exhausted when all are held, and only then");
            if (handle == nil) continue;
            if (!released.empty()) {
                check(handle == released.back(), "the last released comes first");
                released.pop_back();
            }
            held.push_back(handle);
        } else if (!held.empty()) {
            const std::uint32_t at = random.below(static_cast<std::uint32_t>(held.size()));
            pool.release(held[at]);
            released.push_back(held[at]);
            held[at] = held.back();
            held.pop_back();
        }
        check(pool.in_use() == held.size(), "in use are those held");
    }
});

}  // namespace

}  // namespace pool_tests
