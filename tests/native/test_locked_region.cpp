// A region keeps its bytes while it grows: in place as long as it has room there, then by moving; and it stays as it is
// if there is no memory for more.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "engine/native/platform/locked_region.hpp"
#include "tests/native/checks.hpp"

namespace locked_region_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::size_t page = 4096;

/// A region whose pages hold their numbers.
class NumberedPages {
  public:
    NumberedPages(std::size_t pages, std::size_t room) : region(pages * page, Touch::all, room * page) { write(); }

    std::size_t pages() const { return region.bytes() / page; }

    /// False if it cannot grow.
    bool grow(std::size_t to) {
        try {
            region.grow(to * page);
        } catch (const std::bad_alloc&) {
            return false;
        }
        write();
        return true;
    }

    /// Whether those that were written have kept their numbers.
    bool hold() const {
        for (std::size_t at = 0; at < written_; ++at)
            if (bytes_[at * page] != static_cast<std::uint8_t>(at)) return false;
        return true;
    }

    LockedRegion region;

  private:
    void write() {
        region.touch(region.bytes());
        bytes_ = region.take<std::uint8_t>(region.bytes() - page / 2);
        check(hold(), "what was there before is kept");
        for (; written_ < pages(); ++written_) bytes_[written_ * page] = static_cast<std::uint8_t>(written_);
    }

    std::uint8_t* bytes_ = nullptr;
    std::size_t written_ = 0;
};

const Register in_place_then_elsewhere("region: grows in place while there is room, then moves with its bytes", [] {
    NumberedPages numbered(2, 8);
    const std::byte* const start = numbered.region.start();
    check(numbered.region.grow_ahead(4 * page) && !numbered.region.grow_ahead(4 * page), "once");
    check(numbered.pages() == 4 && numbered.region.touched() == 2 * page, "what is ahead is not resident yet");
    for (const std::size_t pages : {4U, 5U, 8U})
        check(numbered.grow(pages) && numbered.pages() == pages && numbered.region.start() == start, "in place");
    check(!numbered.region.grow_ahead(9 * page) && numbered.pages() == 8,
          "nothing is done ahead where there is no room");
    check(numbered.grow(16) && numbered.region.start() != start, "elsewhere");
    check(numbered.grow(300) && numbered.pages() == 300 && numbered.hold(), "and again");
});

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // which need more than these limits

/// The limit of a resource while this lives.
class Limit {
  public:
    Limit(decltype(RLIMIT_DATA) resource, rlim_t bytes) : resource_(resource) {
        getrlimit(resource_, &before_);
        set({.rlim_cur = std::min(bytes, before_.rlim_max), .rlim_max = before_.rlim_max});
    }
    ~Limit() { set(before_); }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;

  private:
    void set(rlimit limit) const { check(setrlimit(resource_, &limit) == 0, "a soft limit can be set"); }

    decltype(RLIMIT_DATA) resource_;
    rlimit before_{};
};

const Register without_room("region: where addresses are limited, it has no room and moves", [] {
    const Limit limit(RLIMIT_AS, rlim_t{1} << 46);
    NumberedPages numbered(1, 8);
    const std::byte* const start = numbered.region.start();
    check(numbered.grow(2) && numbered.region.start() != start, "moved");
});

const Register more_than_there_is("region: where there are not as many addresses as asked for, it has no room", [] {
    NumberedPages numbered(1, std::size_t{1} << 40);
    check(numbered.grow(2), "moved");
});

const Register refused("region: without memory to grow it stays as it is", [] {
    NumberedPages numbered(2, 8);
    {
        const Limit limit(RLIMIT_DATA, page);
        numbered.region.grow_ahead(4 * page);
        check(!numbered.grow(4) && !numbered.grow(16), "neither in place nor elsewhere");
        check(numbered.pages() == 2 && numbered.hold(), "as it was");
    }
    check(numbered.grow(4), "with memory again");
});

#endif

}  // namespace

}  // namespace locked_region_tests
