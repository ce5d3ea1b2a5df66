// Loads forged states of an engine. Commands from the input fill an engine; its state is saved, changed in a few places
// and loaded. It is refused, or it is a state that an engine can be in: it is saved as the same bytes again, and the
// engine executes commands with all invariants. A state that nobody changed is never refused.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "engine/native/journal/snapshot.hpp"
#include "engine/native/matching/matcher.hpp"
#include "tests/fuzz/native/commands.hpp"
#include "tests/fuzz/native/fuzzer.hpp"

namespace lowlat::fuzz {
namespace {

using State = std::vector<std::byte>;

/// To prove that it is found: a state is built without checks, or a field of it is left out.
enum class Fault { none, unchecked, clock_left_out };
Fault planted = Fault::none;

constexpr std::uint64_t room_bytes = std::uint64_t{64} << 20;
constexpr std::size_t change_bytes = 4;  // in the input: where, two bytes; what; how

class EventSink {
  public:
    Event& next() { return events_.emplace_back(); }
    bool operator==(const EventSink& other) const {
        const auto same = [](const Event& a, const Event& b) { return std::memcmp(&a, &b, sizeof a) == 0; };
        return std::ranges::equal(events_, other.events_, same);
    }

  private:
    std::vector<Event> events_;
};

EventSink execute(Matcher& matcher, const Input& input) {
    EventSink sink;
    for (const ExtendedCommand& command : input.commands) matcher.execute(command, sink);
    return sink;
}

void change(State& state, const std::uint8_t* how) {
    constexpr std::uint64_t words[] = {0, 1, 1ULL << 31, 1ULL << 59, ~0ULL >> 1, ~0ULL};
    const std::size_t at = (how[0] + 256U * how[1]) % state.size();
    if (how[3] % 3 == 0) state[at] = std::byte{how[2]};
    if (how[3] % 3 == 1) state[at] ^= std::byte{how[2]};
    if (how[3] % 3 == 2) std::memcpy(&state[at / 8 * 8], &words[how[2] % std::size(words)], sizeof *words);
}

/// Whether the state was accepted. An error message is left in `why`.
bool load(Matcher& matcher, const State& state, std::string& why) {
    matcher.reset();
    try {
        if (planted == Fault::unchecked) {
            Snapshot::build(matcher, {state.data(), state.size()}, room_bytes);
        } else {
            Snapshot::restore(matcher, state.data(), state.size(), room_bytes);
        }
    } catch (const StateError& error) {
        why = error.what();
        matcher.reset();
        return false;
    }
    if (planted == Fault::clock_left_out) matcher.advance_time(0);
    return true;
}

/// Commands as in the corpus of fuzz_commands, then changes, then a byte: how many they are, or 255: all before is the
/// state.
struct Forged {
    Forged(const std::uint8_t* bytes, std::size_t size) : raw(size != 0 && bytes[size - 1] == 255) {
        if (size == 0) return;
        const std::size_t before = size - 1;
        if (raw) {
            state.resize(before);
            if (before != 0) std::memcpy(state.data(), bytes, before);
            return;
        }
        count = std::min<std::size_t>(bytes[before] % 8, before / change_bytes);
        changes = bytes + before - count * change_bytes;
        input = decode(bytes, before - count * change_bytes);
    }

    bool raw;
    std::size_t count = 0;
    const std::uint8_t* changes = nullptr;
    Input input;
    State state;
};

}  // namespace

bool plant(const char* name) {
    if (std::strcmp(name, "unchecked") == 0) planted = Fault::unchecked;
    if (std::strcmp(name, "clock-left-out") == 0) planted = Fault::clock_left_out;
    return planted != Fault::none;
}

void run(const std::uint8_t* bytes, std::size_t size) {
    static Matcher saved(world());  // made once, since that takes longer than an input
    static Matcher loaded(world());
    Forged forged(bytes, size);
    bool changed = forged.raw;
    if (!forged.raw) {
        saved.reset();
        execute(saved, forged.input);
        const State sound = forged.state = Snapshot::save(saved);
        for (std::size_t each = 0; each < forged.count; ++each)
            change(forged.state, forged.changes + each * change_bytes);
        changed = forged.state != sound;
    }
    std::string why;
    if (!load(loaded, forged.state, why)) {
        if (!changed) end("a state as it was saved is refused", why.c_str());
        if (why.empty()) end("an error says nothing");
        return;
    }
    if (Snapshot::save(loaded) != forged.state) end("a byte of the state does not count");
    const EventSink events = execute(loaded, forged.input);
    if (!changed && !(events == execute(saved, forged.input))) end("a restored engine goes on differently");
}

}  // namespace lowlat::fuzz
