// Stresses interval histograms: one thread records, another takes intervals. See tests/native/interval_stress.hpp.
//
// Arguments: RECORDS INTERVAL_TICKS, then sound | unasked | relaxed, the latter two broken on purpose. Prints the
// number of intervals taken; exit code 0 if each was exact and they add up to the whole, else 1.
#include "tests/native/interval_stress.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace lowlat;
using namespace lowlat::testing;

int main(int count, char** arguments) {
    if (count != 4) return 2;
    const std::uint64_t records = std::strtoull(arguments[1], nullptr, 10);
    const std::uint64_t interval_ticks = std::strtoull(arguments[2], nullptr, 10);
    const std::string_view kind = arguments[3];
    constexpr std::uint64_t intervals_min = 100;
    IntervalVerdict verdict;
    if (kind == "sound") {
        verdict = IntervalStress<IntervalHistograms>().run(records, interval_ticks, intervals_min);
    } else if (kind == "unasked") {
        verdict = IntervalStress<UnaskedIntervals>().run(records, interval_ticks, intervals_min);
    } else if (kind == "relaxed") {
        verdict = IntervalStress<RelaxedIntervals>().run(records, interval_ticks, intervals_min);
    } else {
        return 2;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(verdict.intervals));
    return verdict.accepted() ? 0 : 1;
}
