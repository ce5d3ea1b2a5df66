// The indexes of all books share the memory of their entries, and the last one frees it.
#include <memory>

#include "engine/native/matching/depth_entries.hpp"
#include "tests/native/checks.hpp"

namespace depth_entries_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

const Register shared("depth entries: shared by all indexes of one pool, and freed with the last", [] {
    DepthEntries entries;
    DepthEntries::Shared one = entries.share(10);
    DepthEntries::Shared other = entries.share(10);
    check(one == other && one.use_count() == 2, "two indexes share them");
    const std::weak_ptr<DepthEntry[]> seen = one;
    one.reset();
    check(!seen.expired(), "the other still has them");
    other.reset();
    check(seen.expired(), "nobody keeps them");
});

const Register grown("depth entries: an index that is built after the pool has grown has room for all of it", [] {
    DepthEntries entries;
    const DepthEntries::Shared before = entries.share(10);
    const DepthEntries::Shared after = entries.share(20);
    check(before != after, "the older index keeps what it has");
    after[20].sum = 1;
    check(entries.share(20) == after, "the next one shares the larger");
});

}  // namespace

}  // namespace depth_entries_tests
