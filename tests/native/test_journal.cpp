// The journal's checksum is the published one, by instruction and by table. The writer keeps the guarantees of its
// policy and reports failures; the reader accepts what the writer has written.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/journal/crc32c.hpp"
#include "engine/native/journal/reader.hpp"
#include "engine/native/journal/writer.hpp"
#include "tests/native/checks.hpp"

namespace journal_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

/// A file without a name.
class Scratch {
  public:
    Scratch() {
        std::string name = std::filesystem::temp_directory_path() / "lowlat-journal-XXXXXX";
        file_ = mkstemp(name.data());
        check(file_ >= 0 && unlink(name.c_str()) == 0, "a scratch file can be made");
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { close(file_); }

    int file() const { return file_; }
    /// Another descriptor of it, for a caller that closes it.
    int given_away() const { return dup(file_); }
    std::vector<std::byte> content() const {
        struct stat facts{};
        check(fstat(file_, &facts) == 0, "its size is known");
        std::vector<std::byte> bytes(static_cast<std::size_t>(facts.st_size));
        check(pread(file_, bytes.data(), bytes.size(), 0) == facts.st_size, "all of it can be read");
        return bytes;
    }

  private:
    int file_;
};

std::vector<Command> some_commands(std::uint64_t count) {
    std::vector<Command> made(count);
    for (std::uint64_t at = 0; at < count; ++at) {
        made[at] = {.order_id = at,
                    .price = 100,
                    .quantity = 1,
                    .symbol = 0,
                    .kind = CommandType::limit,
                    .side = 0,
                    .time_in_force = 0,
                    .flags = 0};
    }
    return made;
}

std::uint32_t by_table(const std::string& text) {
    std::uint32_t crc = ~std::uint32_t{0};
    for (const char byte : text) crc = crc32c_table.step(crc, static_cast<std::uint8_t>(byte));
    return ~crc;
}

const Register vectors("crc32c: the vectors of RFC 3720, by instruction and by table", [] {
    const std::string digits = "123456789";
    check(crc32c(digits.data(), digits.size()) == 0xE306'9283, "the usual check value");
    const std::vector<std::uint8_t> zeros(32, 0);
    check(crc32c(zeros.data(), zeros.size()) == 0x8A91'36AA, "32 zeros");
    const std::vector<std::uint8_t> ones(32, 0xFF);
    check(crc32c(ones.data(), ones.size()) == 0x62A8'AB43, "32 bytes of ones");
    check(by_table(digits) == 0xE306'9283 && by_table("") == 0, "the table's");
});

const Register pieces("crc32c: goes on from the checksum of what came before, wherever it is cut", [] {
    Random random(5);
    std::string text(2 * 3 * crc32c_stretch + 100, ' ');
    for (char& byte : text) byte = static_cast<char>(random.below(256));
    const std::uint32_t whole = crc32c(text.data(), text.size());
    check(whole == by_table(text), "instruction and table agree");
    for (std::size_t cut = 0; cut <= text.size(); cut += 1 + random.below(9))
        check(crc32c_after(crc32c(text.data(), cut), text.data() + cut, text.size() - cut) == whole, "cut anywhere");
});

const Register round_trip(
    "journal: what the writer appends the reader trusts, and no block is larger than allowed", [] {
        for (const SyncPolicy sync : {SyncPolicy::none, SyncPolicy::interval, SyncPolicy::batch}) {
            const Scratch scratch;
            const JournalPosition start{.end = 0, .blocks = 0, .sequence = 7, .chain = 9};
            const auto commands = some_commands(100'000);
            JournalWriter writer(scratch.given_away(), "", start, sync, 1'000'000);
            for (const std::uint64_t count : {1ULL, 40'000ULL, 0ULL, 100'000ULL}) writer.append(commands.data(), count);
            writer.append_drain();
            writer.close();
            check(writer.closed(), "it has let go of the file");
            check((sync == SyncPolicy::none) == (writer.syncs().total() == 0),
                  "fdatasync is called unless the policy is none");

            const auto content = scratch.content();
            check(content.size() == writer.place().end, "the file ends where the journal does");
            JournalPosition place = start;
            JournalReader reader(scratch.file(), content.size());
            std::vector<std::uint64_t> ids;
            std::uint64_t drains = 0;
            const auto visit = [&](const BlockHead& head, const std::byte* payload) {
                if (head.kind == BlockKind::drain) ++drains;
                check(head.bytes <= block_bytes_max, "no block is too large");
                for (std::uint64_t at = 0; at < commands_in(head); ++at) {
                    Command command;
                    std::memcpy(&command, payload + at * sizeof command, sizeof command);
                    ids.push_back(command.order_id);
                }
            };
            const JournalStop stop = reader.walk(place, content.size(), visit);
            check(stop.fault == JournalFault::none && place.end == content.size(), "read to its end");
            check(place.sequence == 7 + 140'001 && ids.size() == 140'001 && drains == 1,
                  "every command, and the drain");
            check(ids[0] == 0 && ids[1] == 0 && ids[40'000] == 39'999 && ids[40'001] == 0 && ids.back() == 99'999,
                  "in order");
        }
    });

/// How often the disk was asked, in so many appends 300 us apart, at intervals of 1 ms.
std::uint64_t syncs_in(std::uint64_t appends) {
    const Scratch scratch;
    const auto commands = some_commands(10);
    JournalWriter writer(scratch.given_away(), "", {}, SyncPolicy::interval, 1'000'000);
    for (std::uint64_t n = 0; n < appends; ++n) {
        writer.append(commands.data(), commands.size());
        std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    writer.sync();
    writer.close();
    return writer.syncs().total();
}

const Register interval("journal: at intervals a thread has the disk keep what is new, and only that", [] {
    std::uint64_t appends = 50;
    std::uint64_t syncs = syncs_in(appends);
    // Only one at the end: a busy machine has not run the thread in that time, so it gets more.
    while (syncs < 2 && appends < 50'000) syncs = syncs_in(appends *= 2);
    check(syncs >= 2 && syncs <= appends + 2, "some of the appends were committed together");
});

const Register refused("journal: a file that takes nothing is told, and what was before stays", [] {
    const int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    if (full < 0) return;  // not on this system
    const auto commands = some_commands(10);
    JournalWriter writer(full, "", {}, SyncPolicy::none, 0);
    int error = 0;
    bool whole = true;
    try {
        writer.append(commands.data(), commands.size());
    } catch (const JournalWriteError& thrown) {
        error = thrown.error_number;
        whole = thrown.whole;
    }
    check(error == ENOSPC, "the system's reason is passed on");
    // A device cannot be truncated, so its contents are unknown: no more is appended.
    check(!whole && !writer.open() && writer.place().blocks == 0, "the journal is over");
    bool again = false;
    try {
        writer.append(commands.data(), commands.size());
    } catch (const JournalWriteError&) {
        again = true;
    }
    check(again, "and stays so");
});

const Register lost("journal: after an fdatasync that failed nothing is appended any more", [] {
    int ends[2];
    check(pipe(ends) == 0, "a pipe, which no fdatasync can be called for");
    JournalWriter writer(ends[1], "", {}, SyncPolicy::none, 0);
    bool told = false;
    try {
        writer.sync();
    } catch (const JournalWriteError& thrown) {
        told = thrown.error_number == EINVAL && !thrown.whole;
    }
    check(told && !writer.open(), "the failure is told, and final");
    bool again = false;
    try {
        writer.close();
    } catch (const JournalWriteError&) {
        again = true;
    }
    check(again && writer.closed(), "and told again by who only closes it");
    close(ends[0]);
});

/// How a journal is read: the commands that can be trusted, and why not more.
struct Read {
    std::uint64_t commands;
    JournalFault fault;
};

Read read_from(const Scratch& scratch, std::uint64_t begin, std::uint64_t bytes) {
    JournalPosition place{.end = begin};
    const JournalStop stop =
        JournalReader(scratch.file(), bytes).walk(place, bytes, [](const BlockHead&, const auto*) {});
    return {place.sequence, stop.fault};
}

/// Commands that are refused: all zeros, but for one field in each of two sectors.
std::vector<Command> blank_commands(std::uint64_t count, std::uint64_t order_id) {
    std::vector<Command> made(count);
    std::memset(static_cast<void*>(made.data()), 0, count * sizeof(Command));
    made[count / 3].order_id = order_id;
    made[count - 20].price = 3;
    return made;
}

const Register flips("journal: no flipped bit passes for a torn tail, though sectors of the blocks are zeros", [] {
    for (const std::uint64_t begin : {0ULL, 8ULL, 472ULL, 480ULL, 504ULL}) {  // heads in one sector and in two
        const Scratch scratch;
        JournalWriter writer(scratch.given_away(), "", {.end = begin}, SyncPolicy::batch, 0);
        const auto blank = blank_commands(100, 64);  // one bit, in a sector of its own
        const auto commands = some_commands(3);
        writer.append(commands.data(), commands.size());
        const std::uint64_t first = writer.place().end;
        writer.append(blank.data(), blank.size());
        writer.append(blank.data() + 60, 40);
        writer.close();
        const auto content = scratch.content();
        check(read_from(scratch, begin, content.size()).commands == 143, "intact");
        for (std::uint64_t bit = begin * 8; bit < content.size() * 8; ++bit) {
            const std::byte spoilt = content[bit / 8] ^ (std::byte{1} << (bit % 8));
            check(pwrite(scratch.file(), &spoilt, 1, static_cast<off_t>(bit / 8)) == 1, "a bit can be flipped");
            const Read read = read_from(scratch, begin, content.size());
            check(read.fault != JournalFault::none && read.fault != JournalFault::torn, "it is damage");
            check(read.commands == (bit / 8 < first ? 0U : read.commands) && read.commands < 143, "nothing behind");
            check(pwrite(scratch.file(), &content[bit / 8], 1, static_cast<off_t>(bit / 8)) == 1, "and back");
        }
    }
});

const Register tears("journal: a sector that never reached the disk is a tear in what was not synced, else damage", [] {
    const Scratch scratch;
    const auto blank = blank_commands(100, 65);
    const auto commands = some_commands(100);
    const auto append_all = [&](JournalWriter& writer) {
        writer.append(commands.data(), commands.size());
        writer.append(blank.data(), blank.size());
        writer.append(commands.data(), commands.size());
        writer.close();
    };
    for (const SyncPolicy sync : {SyncPolicy::none, SyncPolicy::batch}) {
        JournalWriter writer(scratch.given_away(), "", {}, sync, 0);
        append_all(writer);
        const auto content = scratch.content();
        const std::uint64_t last = content.size() - 100 * sizeof(Command) - sizeof(BlockHead) - sizeof(BlockEnd);
        const std::vector<std::byte> zeros(sector_bytes);
        for (std::uint64_t at = 0; at < content.size(); at = next_sector(at + 1)) {
            const std::uint64_t size = std::min(sector_bytes, content.size() - at);
            if (std::memcmp(content.data() + at, zeros.data(), size) == 0) continue;
            if (at < last && last < at + size) continue;  // it would take the end of an earlier, synced block too
            check(pwrite(scratch.file(), zeros.data(), size, static_cast<off_t>(at)) > 0, "a sector is lost");
            const Read read = read_from(scratch, 0, content.size());
            const bool torn = sync == SyncPolicy::none || at >= last;
            check(torn == (read.fault == JournalFault::torn), "as it looks");
            check(pwrite(scratch.file(), content.data() + at, size, static_cast<off_t>(at)) > 0, "and back");
        }
    }
});

const Register missed("journal: a file that is unlinked, replaced or cut under its writer is missed at the next commit",
                      [] {
                          const auto commands = some_commands(10);
                          for (const std::string what : {"removed", "replaced", "truncated", "longer"}) {
                              std::string name = std::filesystem::temp_directory_path() / "lowlat-journal-XXXXXX";
                              const int file = mkstemp(name.data());
                              JournalWriter writer(file, name, {}, SyncPolicy::none, 0);
                              writer.append(commands.data(), commands.size());
                              check(writer.trouble() == nullptr, "nothing yet");
                              if (what == "truncated") check(truncate(name.c_str(), 5) == 0, "cut");
                              if (what == "longer") check(truncate(name.c_str(), 5'000) == 0, "extended");
                              if (what == "removed") check(unlink(name.c_str()) == 0, "unlinked");
                              if (what == "replaced") {
                                  const std::string other = name + ".other";
                                  close(open(other.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
                                  check(rename(other.c_str(), name.c_str()) == 0, "replaced");
                              }
                              bool told = false;
                              try {
                                  writer.append(commands.data(), commands.size());
                              } catch (const JournalWriteError& thrown) {
                                  told = thrown.error_number == ESTALE && !thrown.whole;
                              }
                              check(told && !writer.open() && writer.trouble() != nullptr, "it is told, and final");
                              check(writer.place().sequence == 10, "nothing was appended");
                              unlink(name.c_str());
                          }
                      });

const Register shrinking("journal: a file that is cut while it is read is an error, not a signal", [] {
    const Scratch scratch;
    const auto commands = some_commands(200'000);
    JournalWriter writer(scratch.given_away(), "", {}, SyncPolicy::none, 0);
    for (int batch = 0; batch < 4; ++batch) writer.append(commands.data(), commands.size());
    writer.close();
    const std::uint64_t bytes = scratch.content().size();
    JournalReader reader(scratch.file(), bytes);
    JournalPosition place;
    bool told = false;
    try {
        reader.walk(place, bytes, [&](const BlockHead&, const std::byte*) {
            check(ftruncate(scratch.file(), 3'000'000) == 0, "cut");
        });
    } catch (const JournalReadError& error) {
        told = error.error_number == 0;
    }
    check(told && place.end < bytes, "the reader says so");
});

}  // namespace

}  // namespace journal_tests
