// Runs one fuzzer input: the engine executes the commands in the bytes, and checks every invariant after every command.
// No lot may get lost, the simple engine must give the same events for every command that it supports, and a replay
// must give them again. Any violation calls abort().
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/native/matching/matcher.hpp"
#include "tests/fuzz/native/audit.hpp"
#include "tests/fuzz/native/commands.hpp"
#include "tests/fuzz/native/fuzzer.hpp"
#include "tests/fuzz/native/simple_engine.hpp"

#if !defined(LOWLAT_CHECKED)
#error "build with LOWLAT_CHECKED, without which no invariant is looked at"
#endif

namespace lowlat::fuzz {

namespace {

Fault planted = Fault::none;

/// Where the engine writes one command's events.
class CommandSink {
  public:
    Event& next() { return events_.emplace_back(); }
    const std::vector<Event>& events() const { return events_; }
    void clear() { events_.clear(); }
    void forget_last() { events_.pop_back(); }

  private:
    std::vector<Event> events_;
};

void show(const char* whose, const std::vector<Event>& events) {
    for (const Event& e : events) {
        std::fprintf(
            stderr,
            "  %s: #%llu kind %d order %llu maker %llu %lld x %u left %u/%u symbol %u trade %llu side %d reason "
            "%d command %d\n",
            whose, static_cast<unsigned long long>(e.sequence), int(e.kind),
            static_cast<unsigned long long>(e.order_id), static_cast<unsigned long long>(e.maker_id),
            static_cast<long long>(e.price), e.quantity, e.remaining, e.maker_remaining, e.symbol,
            static_cast<unsigned long long>(e.trade_id), e.side, int(e.reason), int(e.command));
    }
}

bool same(const std::vector<Event>& one, const std::vector<Event>& other) {
    const auto equal = [](const Event& a, const Event& b) { return std::memcmp(&a, &b, sizeof(Event)) == 0; };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), equal);
}

[[noreturn]] void end(const char* what, const std::vector<Event>& events, const std::vector<Event>& expected) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    show("engine", events);
    show("expected", expected);
    std::abort();
}

/// The same commands tell the same events again, on the path of many commands; where they have no terms, as the records
/// that cannot say any.
void replay(Matcher& matcher, const Input& input, const std::vector<Event>& told) {
    CommandSink sink;
    matcher.reset();
    if (input.plain) {
        const std::vector<Command> narrow(input.commands.begin(), input.commands.end());
        matcher.execute_all(narrow.data(), narrow.size(), sink);
    } else {
        matcher.execute_all(input.commands.data(), input.commands.size(), sink);
    }
    if (!same(sink.events(), told)) end("a replay differs", sink.events(), told);
}

}  // namespace

bool plant(const char* name) {
    if (std::strcmp(name, "last-in-first-out") == 0) planted = Fault::last_in_first_out;
    if (std::strcmp(name, "refill-keeps-place") == 0) planted = Fault::refill_keeps_place;
    if (std::strcmp(name, "event-lost") == 0) planted = Fault::event_lost;
    return planted != Fault::none;
}

void run(const std::uint8_t* bytes, std::size_t size) {
    static Matcher matcher(world());  // made once, since that takes longer than an input
    matcher.reset();
    const Input input = decode(bytes, size);
    SimpleEngine simple(world(), planted);
    Audit audit;
    CommandSink sink;
    std::vector<Event> told;
    for (const ExtendedCommand& command : input.commands) {
        sink.clear();
        matcher.execute(command, sink);
        told.insert(told.end(), sink.events().begin(), sink.events().end());
        if (planted == Fault::event_lost && sink.events().size() > 1) sink.forget_last();
        const char* broken = audit.hear(sink.events());
        if (broken == nullptr) broken = audit.compare(matcher);
        if (broken != nullptr) end(broken, sink.events(), {});
        const std::vector<Event> expected = simple.execute(command);
        if (!same(sink.events(), expected)) end("the engines differ", sink.events(), expected);
    }
    replay(matcher, input, told);
}

}  // namespace lowlat::fuzz
