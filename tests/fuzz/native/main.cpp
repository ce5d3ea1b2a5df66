// A driver for systems without libFuzzer: `fuzz_NAME SECONDS SEED FILES...` runs the files, then random inputs and
// mutations of the files, for this long. With the name of a fault as SEED, that fault is planted and must be found. An
// input that ends the program, or takes longer than 20 s, is left in the file `crash-NAME`, which can be one of FILES.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/native/fuzzer.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

constexpr std::size_t longest = 2'000;
constexpr unsigned patience_s = 20;

Bytes input;             // the one that runs, for the handler
std::string crash_name;  // where it keeps it

extern "C" void keep_input(int number) {
    const int file = open(crash_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && write(file, input.data(), input.size()) >= 0) close(file);
    std::signal(number, SIG_DFL);
    raise(number);
}

/// Random bytes, or a file with some of its bytes changed, twice.
Bytes make_input(const std::vector<Bytes>& files, Random& random) {
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    if (files.empty() || below(2) == 0) {
        Bytes bytes(1 + below(longest));
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
        return bytes;
    }
    Bytes bytes = files[below(files.size())];
    const Bytes& more = files[below(files.size())];
    if (more.size() > 1) bytes.insert(bytes.end(), more.begin() + 1, more.end());
    for (std::size_t changes = bytes.empty() ? 0 : below(20); changes != 0; --changes)
        bytes[below(bytes.size())] = static_cast<std::uint8_t>(random());
    return bytes;
}

void run() {
    alarm(patience_s);
    lowlat::fuzz::run(input.data(), input.size());
    alarm(0);
}

void keep_what_ends(const std::string& program) {
    crash_name = "crash-" + program.substr(program.rfind("fuzz_") + 5);
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(number, keep_input);
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "usage: %s SECONDS SEED|FAULT [FILES...]\n", words[0]);
        return 2;
    }
    lowlat::fuzz::plant(words[2]);
    keep_what_ends(words[0]);
    std::vector<Bytes> files;
    for (int at = 3; at < count; ++at) {
        std::ifstream file(words[at], std::ios::binary);
        input.assign(std::istreambuf_iterator<char>(file), {});
        run();
        files.push_back(input);
    }
    Random random(std::strtoull(words[2], nullptr, 10));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::strtol(words[1], nullptr, 10));
    std::uint64_t inputs = files.size();
    while (std::chrono::steady_clock::now() < end) {
        input = make_input(files, random);
        run();
        ++inputs;
    }
    std::printf("%llu inputs\n", static_cast<unsigned long long>(inputs));
    return 0;
}
