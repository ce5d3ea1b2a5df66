// Looking at how large a book is costs no more than the walks before, however the book grows meanwhile.
#include <cstdint>

#include "engine/native/matching/walk_count.hpp"
#include "tests/native/checks.hpp"

namespace walk_count_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

const Register looks_are_paid_for("walk count: walks pay for every look at the size of the book", [] {
    // The book grows a little faster than walks pay for an index of it, from where that is almost worth it.
    constexpr std::uint64_t walk = 100, more = walk / 4 + 1;
    WalkCount walks;
    std::uint64_t orders = 10'000, walked = 0, looked = 0;
    for (int command = 0; command < 4'000; ++command) {
        if (walked >= 4 * orders - 2 * walk) orders += more;
        walks.count(walk);
        walked += walk;
        if (!walks.excessive()) continue;
        if (walks.worth(orders)) break;
        looked += orders;
    }
    check(looked != 0 && looked <= 2 * walked, "a look costs as much as the book has orders");
});

const Register an_index_is_worth_it("walk count: after four steps for each order, an index is worth it", [] {
    WalkCount walks;
    for (int command = 0; command < 40; ++command) walks.count(1'000);
    check(walks.excessive() && !walks.worth(10'001), "it is not before");
    walks = {};
    for (int command = 0; command < 40; ++command) walks.count(1'000);
    check(walks.excessive() && walks.worth(10'000), "it is then");
    walks = {};
    for (int command = 0; command < 1'000; ++command) walks.count(1);
    check(!walks.excessive(), "short walks do not count");
});

}  // namespace

}  // namespace walk_count_tests
