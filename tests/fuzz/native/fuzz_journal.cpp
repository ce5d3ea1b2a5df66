// Reads forged blocks of a journal. The input is the file behind its head; the sums in it are made right first, so that
// reading gets further than the first of them. Reading never leaves the file, ends where it says, and gives only blocks
// that are as they were written; an engine executes their commands with all invariants.
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/native/journal/block.hpp"
#include "engine/native/journal/reader.hpp"
#include "engine/native/matching/matcher.hpp"
#include "tests/fuzz/native/commands.hpp"
#include "tests/fuzz/native/fuzzer.hpp"

namespace lowlat::fuzz {
namespace {

/// To prove that it is found: the file is read past its end, or a block's sum is not looked at.
enum class Fault { none, past_the_end, sum_not_checked };
Fault planted = Fault::none;

/// The input's bytes in front of a page that nobody may read, so that reading past them ends the program, whether or
/// not it was built with a sanitizer.
class File {
  public:
    static constexpr std::size_t longest = std::size_t{1} << 20;

    File(const std::uint8_t* bytes, std::size_t size) : size_(std::min(size, longest)) {
        static std::byte* const room = map();
        start_ = room + longest - size_;
        if (size_ != 0) std::memcpy(start_, bytes, size_);
    }

    std::byte* data() { return start_; }
    const std::byte* data() const { return start_; }
    std::size_t size() const { return size_; }

  private:
    static std::byte* map() {
        const std::size_t page = std::size_t{1} << 16;
        void* room = mmap(nullptr, longest + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room == MAP_FAILED || mprotect(static_cast<std::byte*>(room) + longest, page, PROT_NONE) != 0)
            end("no memory for the file");
        return static_cast<std::byte*>(room);
    }

    std::size_t size_;
    std::byte* start_;
};

class NoSink {
  public:
    Event& next() { return event_; }

  private:
    Event event_{};
};

/// Make the blocks from the start of the file follow one another. The input's first byte says how many bits of eight
/// blocks are left wrong.
void mend(File& file, std::uint8_t wrong) {
    JournalPosition place;
    for (int number = 0; place.end + sizeof(BlockHead) <= file.size(); ++number) {
        BlockHead head;
        std::memcpy(&head, file.data() + place.end, sizeof head);
        const std::uint64_t left = file.size() - place.end - sizeof head;
        head.magic = block_magic;
        head.kind = BlockKind{static_cast<std::uint16_t>(static_cast<unsigned>(head.kind) % 4)};
        head.bytes = head.bytes % 512 / 32 * 32;
        head.sequence = place.sequence;
        head.previous = place.chain;
        if (number < 8 && (wrong >> number & 1) == 0 && head.bytes + sizeof(BlockEnd) <= left) {
            const std::byte* payload = file.data() + place.end + sizeof head;
            head = block_head(place, head.kind, payload, head.bytes);
            const BlockEnd end{.magic = end_magic, .head_checksum = head.head_checksum};
            std::memcpy(file.data() + place.end + sizeof head + head.bytes, &end, sizeof end);
        }
        std::memcpy(file.data() + place.end, &head, sizeof head);
        place.pass(head);
    }
}

JournalFault walk(const File& file, std::size_t bytes, JournalPosition& place, Matcher& matcher) {
    const std::size_t seen = planted == Fault::past_the_end ? bytes + 4096 : bytes;
    NoSink sink;
    return JournalReader(file.data(), seen).walk(place, [&](const BlockHead& head, const std::byte* payload) {
        if (payload < file.data() || payload + head.bytes > file.data() + bytes) end("a block leaves the file");
        std::vector<std::byte> copy(payload, payload + head.bytes);
        if (planted == Fault::sum_not_checked && !copy.empty()) copy[0] ^= std::byte{1};
        if (crc32c(copy.data(), copy.size()) != head.payload_checksum) end("a block is not as it was written");
        for (std::uint64_t at = 0; at < commands_in(head); ++at) {
            ExtendedCommand command{};
            const std::size_t each = head.bytes / commands_in(head);
            std::memcpy(static_cast<void*>(&command), copy.data() + at * each, each);
            matcher.execute(command, sink);
        }
    });
}

}  // namespace

bool plant(const char* name) {
    if (std::strcmp(name, "past-the-end") == 0) planted = Fault::past_the_end;
    if (std::strcmp(name, "sum-not-checked") == 0) planted = Fault::sum_not_checked;
    return planted != Fault::none;
}

void run(const std::uint8_t* bytes, std::size_t size) {
    static Matcher matcher(world());  // made once, since that takes longer than an input
    matcher.reset();
    if (size == 0) return;
    File file(bytes + 1, size - 1);
    mend(file, bytes[0]);
    JournalPosition whole;
    walk(file, file.size(), whole, matcher);
    if (whole.end > file.size()) end("reading ended outside of the file");
    if (whole.sequence != matcher.sequence()) end("the commands of the blocks are not those that were counted");
    matcher.reset();
    JournalPosition half;
    walk(file, whole.end, half, matcher);
    if (half.end != whole.end || half.chain != whole.chain) end("what was trusted is not trusted without the rest");
}

}  // namespace lowlat::fuzz
