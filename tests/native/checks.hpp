// A test is a named function; a failing check prints its location and ends the program. No framework, no macros.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <vector>

namespace lowlat::testing {

struct Test {
    const char* name;
    void (*run)();
};

inline std::vector<Test>& all_tests() {
    static std::vector<Test> tests;
    return tests;
}

/// Define one at namespace scope for each test.
struct Register {
    Register(const char* name, void (*run)()) { all_tests().push_back({name, run}); }
};

/// `rule` states the expectation.
inline void check(bool holds, const char* rule, std::source_location at = std::source_location::current()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%u: does not hold: %s\n", at.file_name(), at.line(), rule);
    std::exit(1);
}

/// Whether `run`, in a separate process, ends by abort().
bool aborts(void (*run)());

}  // namespace lowlat::testing
