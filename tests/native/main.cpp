// Runs the tests named, or all; `--list` prints their names. Exit code 1 at the first check that fails.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/native/checks.hpp"

namespace lowlat::testing {

bool aborts(void (*run)()) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        // The message is expected: it must not be taken for the test's own.
        if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
        std::signal(SIGABRT, SIG_DFL);
        run();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace lowlat::testing

int main(int count, char** names) {
    using lowlat::testing::all_tests;
    if (count == 2 && std::strcmp(names[1], "--list") == 0) {
        for (const auto& test : all_tests()) std::puts(test.name);
        return 0;
    }
    int run = 0;
    for (const auto& test : all_tests()) {
        bool wanted = count == 1;
        for (int at = 1; at < count; ++at) wanted |= std::strcmp(names[at], test.name) == 0;
        if (!wanted) continue;
        test.run();
        std::printf("passed: %s\n", test.name);
        std::fflush(stdout);
        ++run;
    }
    if (run == 0) std::fprintf(stderr, "no test of that name\n");
    return run == 0 ? 2 : 0;
}
