// The same commands through every interface of the engine: counted by callgrind, and timed. Each event is read once.
// Arguments: WAY FILE SEEDED REPEATS ORDERS. WAY is one of `ways`; FILE holds plain commands of one symbol, SEEDED of
// which fill the book. Prints nanoseconds of CPU time per command of each repeat.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/native/bench/loops.hpp"
#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/lowlat.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "engine/native/matching/sinks.hpp"
#include "tools/measure/native/pass.hpp"

using namespace lowlat;

namespace {

constexpr std::size_t batch = 256;
// Prices stay in a band without overflow.
constexpr lowlat_symbol_rules rules{
    1, 1, -(std::int64_t{1} << 40), std::int64_t{1} << 40, LOWLAT_ALGORITHM_FIFO, LOWLAT_TICK_ROUNDING_REJECT};

lowlat_engine_config config(std::uint32_t orders) {
    return {sizeof(lowlat_engine_config), sizeof rules,       &rules, 1, orders, 100'000,
            LOWLAT_POOL_REJECT,           LOWLAT_POOL_RECYCLE};
}

void check(lowlat_status status) {
    if (status == LOWLAT_OK) return;
    std::fprintf(stderr, "%s\n", lowlat_message(status));
    std::exit(1);
}

/// What a reader does with an event, as in execute_one() of loops.hpp.
template <typename Record>
LOWLAT_INLINE void add(std::uint64_t& read, const Record& event) {
    read += event.order_id + static_cast<std::uint64_t>(event.price) + event.quantity +
            static_cast<std::uint64_t>(event.kind);
}
void used(std::uint64_t read) {
    asm volatile("" : : "r"(read) : "memory");
}

/// The matcher, inlined, with a ring for its events.
class Core {
  public:
    explicit Core(std::uint32_t orders) : matcher_(read_settings(config(orders))) {}
    void reset() { matcher_.reset(); }
    void one(const Command& command) { execute_one(matcher_, command, sink_); }
    void all(const Command* commands, std::size_t count) {
        const std::uint64_t first = sink_.count();
        matcher_.execute_all(commands, count, sink_);
        std::uint64_t read = 0;
        sink_.for_each_since(first, [&](const Event& event) { add(read, event); });
        used(read);
    }

  private:
    Matcher matcher_;
    std::vector<Event> ring_ = std::vector<Event>(ring_events);
    RingSink sink_{ring_.data(), ring_events - 1};
};

class Inlined {
  public:
    explicit Inlined(std::uint32_t orders) : engine_(config(orders)) {}
    void claim() { engine_.claim(); }
    void reset() { engine_.reset(); }
    [[gnu::noinline]] void one(const Command& command) {
        std::uint64_t read = 0;
        engine_.execute(command, [&](const Event& event) { add(read, event); });
        used(read);
    }
    void all(const Command* commands, std::size_t count) {
        std::span left(commands, count);
        std::uint64_t read = 0;
        Processed done;
        do {
            engine_.process_into(left, std::span(events_), done);
            left = left.subspan(done.executed);
            for (const Event& event : std::span(events_).first(done.written)) add(read, event);
        } while (!left.empty() || done.written == events_.size());
        used(read);
    }

  private:
    Engine engine_;
    std::vector<Event> events_ = std::vector<Event>(1024);
};

class Library {
  public:
    explicit Library(std::uint32_t orders) {
        const lowlat_engine_config settings = config(orders);
        check(lowlat_create(&settings, &engine_));
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { lowlat_destroy(engine_); }
    void claim() { check(lowlat_claim(engine_)); }
    void reset() { check(lowlat_reset(engine_)); }

  protected:
    lowlat_engine* engine_ = nullptr;
};

class Callback : public Library {
  public:
    using Library::Library;
    [[gnu::noinline]] void one(const Command& command) {
        std::uint64_t read = 0;
        check(lowlat_execute(engine_, reinterpret_cast<const lowlat_command*>(&command), &read_event, &read));
        used(read);
    }
    void all(const Command* commands, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) one(commands[at]);
    }

  private:
    static void read_event(void* user, const lowlat_event* event) { add(*static_cast<std::uint64_t*>(user), *event); }
};

class InPlace : public Library {
  public:
    using Library::Library;
    [[gnu::noinline]] void one(const Command& command) { all(&command, 1); }
    void all(const Command* commands, std::size_t count) {
        const auto* left = reinterpret_cast<const lowlat_command*>(commands);
        std::uint64_t read = 0;
        std::size_t executed = 0;
        std::size_t written = 0;
        do {
            check(lowlat_process_into(engine_, left, count, reinterpret_cast<lowlat_event*>(events_.data()),
                                      events_.size(), &executed, &written));
            left += executed;
            count -= executed;
            for (std::size_t at = 0; at < written; ++at) add(read, events_[at]);
        } while (count != 0 || written == events_.size());
        used(read);
    }

  private:
    std::vector<Event> events_ = std::vector<Event>(1024);
};

class Drained : public Library {
  public:
    using Library::Library;
    [[gnu::noinline]] void one(const Command& command) { all(&command, 1); }
    void all(const Command* commands, std::size_t count) {
        check(lowlat_process(engine_, reinterpret_cast<const lowlat_command*>(commands), count));
        std::uint64_t read = 0;
        std::size_t drained = 0;
        do {
            check(lowlat_drain(engine_, events_.data(), events_.size(), &drained));
            for (std::size_t at = 0; at < drained; ++at) add(read, events_[at]);
        } while (drained == events_.size());
        used(read);
    }

  private:
    std::vector<lowlat_event> events_ = std::vector<lowlat_event>(1024);
};

struct Pass {
    void (*run)(void* engine, const Command* commands, std::size_t count);
    void* engine;
};

}  // namespace

// Not inlined and outside any namespace, so that callgrind can count only inside it.
__attribute__((noinline)) void measured_pass(const Pass& pass, const Command* commands, std::size_t count) {
    pass.run(pass.engine, commands, count);
}

namespace {

template <typename Interface>
void run_one(void* engine, const Command* commands, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) static_cast<Interface*>(engine)->one(commands[at]);
}

template <typename Interface>
void run_batches(void* engine, const Command* commands, std::size_t count) {
    for (std::size_t at = 0; at < count; at += batch)
        static_cast<Interface*>(engine)->all(commands + at, std::min(batch, count - at));
}

struct Run {
    std::vector<Command> commands;
    std::size_t seeded;
    long repeats;
    std::uint32_t orders;
};

enum class Claimed : bool { no, yes };

template <typename Interface, auto run_pass, Claimed claimed = Claimed::no>
void measure(const Run& run) {
    const auto engine = std::make_unique<Interface>(run.orders);
    if constexpr (claimed == Claimed::yes) engine->claim();
    for (long repeat = 0; repeat < run.repeats; ++repeat) {
        engine->reset();
        run_batches<Interface>(engine.get(), run.commands.data(), run.seeded);
        const std::size_t count = run.commands.size() - run.seeded;
        const double start = cpu_ns();
        measured_pass({run_pass, engine.get()}, run.commands.data() + run.seeded, count);
        std::printf("%.2f\n", (cpu_ns() - start) / static_cast<double>(count));
    }
}

struct Way {
    std::string_view name;
    void (*measure)(const Run&);
};

constexpr Way ways[] = {
    {"core", &measure<Core, run_one<Core>>},
    {"inlined", &measure<Inlined, run_one<Inlined>, Claimed::yes>},
    {"inlined-unclaimed", &measure<Inlined, run_one<Inlined>>},
    {"callback", &measure<Callback, run_one<Callback>, Claimed::yes>},
    {"callback-unclaimed", &measure<Callback, run_one<Callback>>},
    {"in-place", &measure<InPlace, run_one<InPlace>, Claimed::yes>},
    {"drained", &measure<Drained, run_one<Drained>>},
    {"core-batch", &measure<Core, run_batches<Core>>},
    {"inlined-batch", &measure<Inlined, run_batches<Inlined>, Claimed::yes>},
    {"in-place-batch", &measure<InPlace, run_batches<InPlace>, Claimed::yes>},
    {"drained-batch", &measure<Drained, run_batches<Drained>>},
};

}  // namespace

int main(int count, char** arguments) {
    if (count == 6) {
        const auto number = [&](int at) { return std::strtoul(arguments[at], nullptr, 10); };
        for (const Way& way : ways) {
            if (way.name != arguments[1]) continue;
            way.measure({.commands = records_in<Command>(arguments[2]),
                         .seeded = number(3),
                         .repeats = static_cast<long>(number(4)),
                         .orders = static_cast<std::uint32_t>(number(5))});
            return 0;
        }
    }
    std::fputs("usage: interfaces WAY FILE SEEDED REPEATS ORDERS\n", stderr);
    return 2;
}
