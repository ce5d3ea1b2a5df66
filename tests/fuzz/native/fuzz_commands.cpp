// One input of a fuzzer: the engine executes what the bytes say, with every invariant checked after every command, and
// the simple engine must tell the same events wherever it knows what is asked for. Whatever does not hold ends by
// abort().
#include "tests/fuzz/native/fuzz_commands.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/native/matcher.hpp"
#include "tests/fuzz/native/commands.hpp"
#include "tests/fuzz/native/simple_book.hpp"

#if !defined(LOWLAT_CHECKED)
#error "build with LOWLAT_CHECKED, without which no invariant is looked at"
#endif

namespace lowlat::fuzz {

Queue queue_of_the_simple_engine = Queue::first_in_first_out;

namespace {

/// Where the engine writes one command's events.
class CommandSink {
  public:
    Event& next() { return events_.emplace_back(); }
    const std::vector<Event>& events() const { return events_; }
    void clear() { events_.clear(); }

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
    return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size() * sizeof(Event)) == 0;
}

}  // namespace

void run(const std::uint8_t* bytes, std::size_t size) {
    static Matcher matcher(world());  // made once, since that takes longer than an input
    matcher.reset();
    const Input input = decode(bytes, size);
    SimpleEngine simple(world(), queue_of_the_simple_engine);
    CommandSink sink;
    for (const WideCommand& command : input.commands) {
        sink.clear();
        matcher.execute(command, sink);
        if (sink.events().empty()) {
            std::fputs("fuzz: a command without an event\n", stderr);
            std::abort();
        }
        if (!input.plain) continue;
        const std::vector<Event> expected = simple.execute(command);
        if (same(sink.events(), expected)) continue;
        std::fputs("fuzz: the engines differ\n", stderr);
        show("engine", sink.events());
        show("simple", expected);
        std::abort();
    }
}

}  // namespace lowlat::fuzz

#if defined(LOWLAT_LIBFUZZER)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    lowlat::fuzz::run(bytes, size);
    return 0;
}
#endif
