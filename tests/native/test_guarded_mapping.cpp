// A mapped file that is truncated: zeros instead of the end of the process, and the guard says so. Faults elsewhere
// still end it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "engine/native/platform/guarded_mapping.hpp"
#include "tests/native/checks.hpp"

namespace guarded_mapping_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t bytes = 4 * page;

/// A file of four pages of ones, mapped.
class Mapped {
  public:
    Mapped() {
        std::string name = std::filesystem::temp_directory_path() / "lowlat-guarded-XXXXXX";
        file_ = mkstemp(name.data());
        unlink(name.c_str());
        const std::string ones(bytes, '\1');
        check(write(file_, ones.data(), bytes) == static_cast<ssize_t>(bytes), "the file is written");
        start_ = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0));
    }
    ~Mapped() {
        munmap(start_, bytes);
        close(file_);
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    void truncate_to(std::size_t size) const { check(ftruncate(file_, static_cast<off_t>(size)) == 0, "truncated"); }
    volatile char& operator[](std::size_t at) const { return start_[at]; }
    const void* start() const { return start_; }

  private:
    int file_ = -1;
    char* start_ = nullptr;
};

/// The signal that ends a child that runs `work`; 0 if it ends by itself.
template <typename Work>
int ends_by(Work work) {
    const pid_t child = fork();
    if (child == 0) {
        work();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

const Register reads_zeros("guarded mapping: lost pages read as zeros, and the guard says so", [] {
    const Mapped mapped;
    const GuardedMapping guard(mapped.start(), bytes, true);
    mapped.truncate_to(page);
    check(mapped[page - 1] == 1 && !guard.lost(), "what is left is read as before");
    check(mapped[2 * page] == 0 && guard.lost(), "a lost page is read as zeros");
    check(mapped[page + 7] == 0 && mapped[bytes - 1] == 0 && mapped[0] == 1, "so is each lost page, and no other");
    mapped[3 * page] = 5;
    check(mapped[3 * page] == 5, "a write to it goes nowhere, and does not fail");
    try {
        guard.check("orders.ring");
        check(false, "check() throws");
    } catch (const MappedFileError& error) {
        check(std::string(error.what()).find("orders.ring lost its content") == 0, "it names the file");
    }
});

const Register tells_all("guarded mapping: of two guards of one mapping both say so, another does not", [] {
    const Mapped mapped;
    const Mapped sound;
    const GuardedMapping one(mapped.start(), bytes, true);
    const GuardedMapping two(mapped.start(), bytes, true);
    const GuardedMapping other(sound.start(), bytes, true);
    mapped.truncate_to(0);
    std::thread([&] { check(mapped[9] == 0, "in any thread"); }).join();
    check(one.lost() && two.lost() && !other.lost() && sound[9] == 1, "each knows about its own");
});

const Register reused("guarded mapping: an entry that is used again starts afresh", [] {
    const Mapped mapped;
    {
        const GuardedMapping guard(mapped.start(), bytes, true);
        mapped.truncate_to(0);
        check(mapped[0] == 0 && guard.lost(), "lost");
    }
    const Mapped next;
    const GuardedMapping guard(next.start(), bytes, false);
    check(!guard.lost() && next[0] == 1, "another mapping has lost nothing");
});

// The sanitizers report such faults in their own way.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
const Register elsewhere("guarded mapping: a fault in a mapping without a guard ends the process", [] {
    const Mapped guarded;
    const GuardedMapping guard(guarded.start(), bytes, true);
    const auto unguarded = [] {
        const Mapped mapped;
        mapped.truncate_to(0);
        mapped[0] = 1;
    };
    check(ends_by(unguarded) == SIGBUS, "by a bus error");
    check(ends_by([] { raise(SIGBUS); }) == SIGBUS, "so does a signal that somebody sends");
    check(ends_by([&] {
              {
                  const GuardedMapping ended(guarded.start(), bytes, true);
              }
              guarded.truncate_to(0);
              guarded[0] = 1;
          }) == 0,
          "a guarded one continues");
});
#endif

}  // namespace

}  // namespace guarded_mapping_tests
