// An engine admits one call at a time, from whatever thread, claimed or not; whoever is refused is told why.
#include <atomic>
#include <cstdint>
#include <thread>

#include "engine/native/c_api/ownership.hpp"
#include "tests/native/checks.hpp"

namespace ownership_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// The status with which `call` is refused; LOWLAT_OK if it is not.
template <typename Call>
lowlat_status refused(Call call) {
    try {
        call();
        return LOWLAT_OK;
    } catch (const EngineError& error) {
        return error.status();
    }
}

template <typename Call>
lowlat_status refused_to_another_thread(Call call) {
    lowlat_status status = LOWLAT_OK;
    std::thread([&] { status = refused(call); }).join();
    return status;
}

const Register says_why("ownership: who is refused is told why", [] {
    Ownership ownership;
    const auto call = [&] { const ExclusiveCall held(ownership); };
    const auto claim = [&] { ownership.claim(); };
    const auto release = [&] { ownership.release(); };
    check(refused(release) == LOWLAT_OK, "an engine that nobody has claimed can be released");
    {
        const ExclusiveCall held(ownership);
        check(refused(call) == LOWLAT_REENTERED && refused(claim) == LOWLAT_REENTERED, "not from within a call");
        check(refused(release) == LOWLAT_REENTERED, "nor released");
        check(refused_to_another_thread(call) == LOWLAT_BUSY, "not by another thread during a call");
    }
    check(refused_to_another_thread(call) == LOWLAT_OK, "by any thread after it");
    claim();
    check(refused(claim) == LOWLAT_OK && refused(call) == LOWLAT_OK, "by the thread that has claimed it");
    {
        const ExclusiveCall held(ownership);
        check(refused(call) == LOWLAT_REENTERED && refused(release) == LOWLAT_REENTERED, "not from within its call");
    }
    check(refused_to_another_thread(call) == LOWLAT_BUSY, "not by another thread");
    check(refused_to_another_thread(claim) == LOWLAT_BUSY, "nor claimed");
    check(refused_to_another_thread(release) == LOWLAT_BUSY, "nor released");
    release();
    check(refused_to_another_thread([&] { claim(), release(); }) == LOWLAT_OK, "by any thread once released");
});

/// What the engines do.
class Owned {
  public:
    template <typename Work>
    bool call(Work work) {
        return refused([&] {
                   const ExclusiveCall held(ownership_);
                   work();
               }) == LOWLAT_OK;
    }
    bool claim() {
        return refused([&] { ownership_.claim(); }) == LOWLAT_OK;
    }
    void release() { ownership_.release(); }

  private:
    Ownership ownership_;
};

/// Broken on purpose: looks whether the engine is in use, and then takes it.
class LookedAt {
  public:
    template <typename Work>
    bool call(Work work) {
        if (!claim()) return false;
        work();
        release();
        return true;
    }
    bool claim() {
        if (used_.load()) return false;
        std::this_thread::yield();
        used_ = true;
        return true;
    }
    void release() { used_ = false; }

  private:
    std::atomic<bool> used_ = false;
};

/// Two threads want calls and claims until `calls` were made, or two were made at once. Returns whether that was seen.
/// `pause` lengthens each call.
template <typename Gate, typename Pause>
bool calls_meet(std::uint64_t calls, Pause pause) {
    Gate gate;
    std::atomic<int> inside = 0;
    std::atomic<bool> met = false;
    std::atomic<std::uint64_t> made = 0;
    std::uint64_t unguarded = 0;
    const auto work = [&] {
        if (inside.fetch_add(1) != 0) met = true;
        if (!met) ++unguarded;  // the thread sanitizer sees two at once, too
        pause();
        inside.fetch_sub(1);
        ++made;
    };
    const auto want = [&] {
        while (made < calls && !met) {
            gate.call(work);
            if (!gate.claim()) continue;
            if (inside != 0) met = true;
            gate.call(work);
            gate.release();
        }
    };
    std::thread other(want);
    want();
    other.join();
    check(met || unguarded == made, "every call's writes are seen by the next");
    return met;
}

const Register admits_one("ownership: two threads never call at once",
                          [] { check(!calls_meet<Owned>(1'000'000, [] {}), "one at a time"); });

const Register stays_claimed("ownership: a release by a thread that has claimed nothing ends nobody's claim", [] {
    Ownership ownership;
    std::atomic<bool> done = false;
    std::thread stranger([&] {
        while (!done) static_cast<void>(refused([&] { ownership.release(); }));
    });
    bool kept = true;
    for (int claims = 0; claims < 200'000 && kept; ++claims) {
        for (int look = 0; look < 300; ++look) kept = kept && !ownership.claimed();  // the stranger finds it free
        ownership.claim();
        for (int look = 0; look < 100; ++look) kept = kept && ownership.claimed();
        ownership.release();
    }
    done = true;
    stranger.join();
    check(kept, "until it releases it");
});

const Register finds_two("ownership: two calls at once are found where an engine is looked at and then taken", [] {
    check(calls_meet<LookedAt>(1'000'000, [] { std::this_thread::yield(); }), "two at once");
});

}  // namespace

}  // namespace ownership_tests
