// Writes the events of the commands in a file, and the orders that rest then, to stdout, byte for byte.
//
// Arguments: WAY COMMANDS EXTENDED RULES ORDERS TRADES WHEN_ORDERS_DRY WHEN_TRADES_DRY. WAY is one of `ways`; COMMANDS
// holds Command, or ExtendedCommand if EXTENDED is 1; RULES holds a SymbolRules for each symbol.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string_view>
#include <vector>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/c_api/lowlat.hpp"
#include "engine/native/matching/growing_sink.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/order_rows.hpp"
#include "engine/native/matching/records.hpp"

using namespace lowlat;

namespace {

template <typename Record>
struct Input {
    std::vector<Record> commands;
    std::vector<lowlat_symbol_rules> rules;
    lowlat_engine_config config;
};

template <typename Row>
void write(const Row& row) {
    std::fwrite(&row, sizeof row, 1, stdout);
}

void check(lowlat_status status) {
    if (status == LOWLAT_OK) return;
    std::fprintf(stderr, "%s\n", lowlat_message(status));
    std::exit(1);
}

template <typename Record>
void through_core(const Input<Record>& input) {
    Matcher matcher(read_settings(input.config));
    GrowingSink events(16);
    for (const Record& command : input.commands) matcher.execute(command, events);
    const std::uint64_t count = events.count();
    const GrowingSink::Events all = events.release();
    for (std::uint64_t at = 0; at < count; ++at) write(all[at]);
    for (std::uint32_t symbol = 0; symbol < matcher.symbols(); ++symbol)
        for_each_order(matcher, symbol, [](const OrderRow& row) { write(row); });
}

template <typename Record>
void write_orders(Engine& engine, const Input<Record>& input) {
    for (std::uint32_t symbol = 0; symbol < input.config.symbols; ++symbol)
        engine.for_each_order(symbol, [](const OrderRow& row) { write(row); });
}

template <typename Record>
void through_inlined(const Input<Record>& input) {
    Engine engine(input.config);
    engine.claim();
    for (const Record& command : input.commands) engine.execute(command, [](const Event& event) { write(event); });
    write_orders(engine, input);
}

/// Room for few events, and batches of other sizes, so that commands end inside and outside the room.
constexpr std::size_t room = 7, batch = 19;

template <typename Record>
void through_inlined_in_place(const Input<Record>& input) {
    Engine engine(input.config);
    std::vector<Event> events(room);
    Processed done;
    std::span<const Record> left(input.commands);
    do {
        engine.process_into(left.first(std::min(batch, left.size())), std::span(events), done);
        left = left.subspan(done.executed);
        for (const Event& event : std::span(events).first(done.written)) write(event);
    } while (!left.empty() || done.written == room);
    write_orders(engine, input);
}

/// An engine behind the C interface.
class Library {
  public:
    explicit Library(const lowlat_engine_config& config) { check(lowlat_create(&config, &engine_)); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { lowlat_destroy(engine_); }

    void claim() { check(lowlat_claim(engine_)); }
    void execute(const Command& command) { check(lowlat_execute(engine_, row(&command), &sink, this)); }
    void execute(const ExtendedCommand& command) {
        check(lowlat_execute_extended(engine_, row(&command), &sink, this));
    }
    void process(std::span<const Command> commands) {
        check(lowlat_process(engine_, row(commands.data()), commands.size()));
    }
    void process(std::span<const ExtendedCommand> commands) {
        check(lowlat_process_extended(engine_, row(commands.data()), commands.size()));
    }
    void process_into(std::span<const Command> commands) {
        check(lowlat_process_into(engine_, row(commands.data()), commands.size(), events_, room, &executed, &written));
    }
    void process_into(std::span<const ExtendedCommand> commands) {
        check(lowlat_process_extended_into(engine_, row(commands.data()), commands.size(), events_, room, &executed,
                                           &written));
    }
    void write_written() {
        for (std::size_t at = 0; at < written; ++at) write(events_[at]);
    }
    void drain() {
        do {
            check(lowlat_drain(engine_, events_, room, &written));
            write_written();
        } while (written == room);
    }
    void write_orders(std::uint32_t symbols) {
        lowlat_counters counters{};
        check(lowlat_get_counters(engine_, &counters, sizeof counters));
        std::vector<lowlat_order> orders(counters.live_orders);
        std::size_t count = 0;
        for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
            check(lowlat_get_orders(engine_, symbol, orders.data(), orders.size(), &count));
            for (std::size_t at = 0; at < count; ++at) write(orders[at]);
        }
    }

    std::size_t executed = 0;
    std::size_t written = 0;

  private:
    static const lowlat_command* row(const Command* command) {
        return reinterpret_cast<const lowlat_command*>(command);
    }
    static const lowlat_extended_command* row(const ExtendedCommand* command) {
        return reinterpret_cast<const lowlat_extended_command*>(command);
    }
    static void sink(void* user, const lowlat_event* event) {
        if (user != nullptr) write(*event);
    }

    lowlat_engine* engine_ = nullptr;
    alignas(64) lowlat_event events_[room];
};

template <typename Record, bool claimed>
void through_callback(const Input<Record>& input) {
    Library engine(input.config);
    if (claimed) engine.claim();
    for (const Record& command : input.commands) engine.execute(command);
    engine.write_orders(input.config.symbols);
}

template <typename Record>
void through_in_place(const Input<Record>& input) {
    Library engine(input.config);
    std::span<const Record> left(input.commands);
    do {
        engine.process_into(left.first(std::min(batch, left.size())));
        left = left.subspan(engine.executed);
        engine.write_written();
    } while (!left.empty() || engine.written == room);
    engine.write_orders(input.config.symbols);
}

/// Broken on purpose: takes what is left of a command's events for all of them.
template <typename Record>
void through_in_place_without_the_rest(const Input<Record>& input) {
    Library engine(input.config);
    for (const Record& command : input.commands) {
        engine.process_into(std::span(&command, 1));
        engine.write_written();
    }
    engine.write_orders(input.config.symbols);
}

template <typename Record>
void through_queue(const Input<Record>& input) {
    Library engine(input.config);
    const std::span<const Record> all(input.commands);
    for (std::size_t at = 0; at < all.size(); at += batch) {
        engine.process(all.subspan(at, std::min(batch, all.size() - at)));
        if (at % 3 == 0) engine.drain();
    }
    engine.drain();
    engine.write_orders(input.config.symbols);
}

template <typename Record>
struct Way {
    std::string_view name;
    void (*run)(const Input<Record>&);
};

template <typename Record>
constexpr Way<Record> ways[] = {
    {"core", &through_core<Record>},
    {"inlined", &through_inlined<Record>},
    {"inlined-in-place", &through_inlined_in_place<Record>},
    {"callback", &through_callback<Record, false>},
    {"callback-claimed", &through_callback<Record, true>},
    {"in-place", &through_in_place<Record>},
    {"in-place-without-the-rest", &through_in_place_without_the_rest<Record>},
    {"queue", &through_queue<Record>},
};

template <typename Row>
std::vector<Row> rows_in(const char* file) {
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    std::vector<Row> rows(static_cast<std::size_t>(in.tellg()) / sizeof(Row));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(rows.data()), static_cast<std::streamsize>(rows.size() * sizeof(Row)));
    return rows;
}

template <typename Record>
int run(char** arguments) {
    Input<Record> input{rows_in<Record>(arguments[2]), rows_in<lowlat_symbol_rules>(arguments[4]), {}};
    const auto number = [&](int at) { return std::strtoul(arguments[at], nullptr, 10); };
    input.config = {.size = sizeof input.config,
                    .rules_size = sizeof(lowlat_symbol_rules),
                    .rules = input.rules.data(),
                    .symbols = static_cast<std::uint32_t>(input.rules.size()),
                    .orders = static_cast<std::uint32_t>(number(5)),
                    .trades = number(6),
                    .when_orders_dry = static_cast<std::uint32_t>(number(7)),
                    .when_trades_dry = static_cast<std::uint32_t>(number(8))};
    for (const Way<Record>& way : ways<Record>) {
        if (way.name != arguments[1]) continue;
        way.run(input);
        return 0;
    }
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 9) return 2;
    return *arguments[3] == '1' ? run<ExtendedCommand>(arguments) : run<Command>(arguments);
}
