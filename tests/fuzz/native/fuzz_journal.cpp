// Reads forged blocks of a journal. The input is the file behind its head; the sums in it are made right first, so that
// reading gets further than the first of them. Reading never leaves the file, ends where it says, and gives only blocks
// that are as they were written; an engine executes their commands with all invariants.
#include <sys/mman.h>
#include <unistd.h>

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

/// The input as a file in memory, which exists once: making one takes longer than an input.
class File {
  public:
    File(const std::uint8_t* bytes, std::size_t size) : content_(size) {
        if (size != 0) std::memcpy(content_.data(), bytes, size);
    }

    std::byte* data() { return content_.data(); }
    std::size_t size() const { return content_.size(); }

    /// The descriptor, once the file has the content.
    int written() const {
        static const int file = memfd_create("journal", MFD_CLOEXEC);
        const auto bytes = static_cast<ssize_t>(size());
        if (ftruncate(file, 0) != 0 || pwrite(file, content_.data(), size(), 0) != bytes) end("no memory for the file");
        return file;
    }

  private:
    std::vector<std::byte> content_;
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
        head.kind = BlockKind{static_cast<std::uint8_t>(static_cast<unsigned>(head.kind) % 4)};
        head.more %= 2;
        head.bytes = head.bytes % 1'024 / 32 * 32;
        head.sequence = place.sequence;
        head.previous = place.chain;
        if (number < 8 && (wrong >> number & 1) == 0 && head.bytes + sizeof(BlockEnd) <= left) {
            const std::byte* payload = file.data() + place.end + sizeof head;
            head = block_head(place, {head.kind, head.more != 0}, head.unsynced, payload, head.bytes);
            const BlockEnd end{.magic = end_magic, .head_checksum = head.head_checksum};
            std::memcpy(file.data() + place.end + sizeof head + head.bytes, &end, sizeof end);
        }
        std::memcpy(file.data() + place.end, &head, sizeof head);
        place.pass(head);
    }
}

void execute(const BlockHead& head, const std::byte* payload, Matcher& matcher) {
    NoSink sink;
    for (std::uint64_t at = 0; at < commands_in(head); ++at) {
        ExtendedCommand command{};
        const std::size_t each = head.bytes / commands_in(head);
        std::memcpy(static_cast<void*>(&command), payload + at * each, each);
        matcher.execute(command, sink);
    }
}

/// Walk the first `bytes` bytes from `place` to a batch that ends at `until` or later, and execute what is there.
void walk(int file, std::uint64_t bytes, JournalPosition& place, std::uint64_t until, Matcher& matcher) {
    const std::uint64_t seen = planted == Fault::past_the_end ? bytes + 4096 : bytes;
    try {
        JournalReader(file, seen).walk(place, until, [&](const BlockHead& head, const std::byte* payload) {
            if (place.end + whole_bytes(head) > bytes) end("a block leaves the file");
            std::vector<std::byte> copy(payload, payload + head.bytes);
            if (planted == Fault::sum_not_checked && !copy.empty()) copy[0] ^= std::byte{1};
            if (crc32c(copy.data(), copy.size()) != head.payload_checksum) end("a block is not as it was written");
            execute(head, copy.data(), matcher);
        });
    } catch (const JournalReadError& error) {
        end("reading left the file", error.what());
    }
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
    File content(bytes + 1, size - 1);
    mend(content, bytes[0]);
    const int file = content.written();
    JournalPosition whole;
    walk(file, content.size(), whole, content.size(), matcher);
    if (whole.end > content.size()) end("reading ended outside of the file");
    if (whole.sequence != matcher.sequence()) end("the commands of the blocks are not those that were counted");
    matcher.reset();
    JournalPosition parts;
    for (const std::uint64_t until : {whole.end / 2, whole.end}) walk(file, whole.end, parts, until, matcher);
    if (parts.end != whole.end || parts.chain != whole.chain || parts.sequence != matcher.sequence())
        end("what was trusted is not trusted in parts and without the rest");
}

}  // namespace lowlat::fuzz
