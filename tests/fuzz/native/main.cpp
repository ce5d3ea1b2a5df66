// A fuzzer for systems without libFuzzer: `fuzz_commands SECONDS SEED FILES...` runs the files, then random inputs and
// mutations of the files, for this long. With the name of a fault as SEED, that fault is planted and must be found. An
// input that crashes the program is left in the file `crash-commands`, which can be given as one of FILES.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/native/commands.hpp"
#include "tests/fuzz/native/fuzz_commands.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

Bytes input;  // the one that runs, for the handler

extern "C" void keep_input(int /*signal*/) {
    const int file = open("crash-commands", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && write(file, input.data(), input.size()) >= 0) close(file);
}

/// Random bytes, or a file with some of its bytes changed, twice.
Bytes make_input(const std::vector<Bytes>& files, Random& random) {
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    if (files.empty() || below(2) == 0) {
        Bytes bytes(1 + lowlat::fuzz::bytes_each * (1 + below(200)));
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

lowlat::fuzz::Fault fault_named(const char* name) {
    using lowlat::fuzz::Fault;
    if (std::strcmp(name, "last-in-first-out") == 0) return Fault::last_in_first_out;
    if (std::strcmp(name, "refill-keeps-place") == 0) return Fault::refill_keeps_place;
    return std::strcmp(name, "event-lost") == 0 ? Fault::event_lost : Fault::none;
}

void run() {
    lowlat::fuzz::run(input.data(), input.size());
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "usage: %s SECONDS SEED|FAULT [FILES...]\n", words[0]);
        return 2;
    }
    lowlat::fuzz::planted = fault_named(words[2]);
    std::signal(SIGABRT, keep_input);
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
