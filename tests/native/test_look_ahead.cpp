// Looking ahead over commands that come to wait at any time: which of them are prefetched for, and in which stages.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/look_ahead.hpp"
#include "engine/native/matching/records.hpp"
#include "tests/native/checks.hpp"

namespace look_ahead_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint64_t commands_max = 3'000;

/// Stands for a store: notes how far each command has come, whose number is its id.
class NotingStore {
  public:
    struct Ahead {
        std::uint64_t id;
    };
    static constexpr std::uint64_t fetch_slot = 16, fetch_node = 8, fetch_neighbors = 4, fetch_far = 2;

    Ahead look_ahead(const Command& command) const {
        pass(command.order_id, 0);
        return {command.order_id};
    }
    void fetch_node_of(const Ahead& ahead) const { pass(ahead.id, 1); }
    void fetch_neighbors_of(const Ahead& ahead) const { pass(ahead.id, 2); }
    static bool many_far_levels() { return true; }
    void fetch_far_of(const Command& command, const Ahead& ahead) const {
        check(command.order_id == ahead.id, "the command is the one that was looked at");
        pass(ahead.id, 3);
    }

    /// Stages that a command has passed.
    int passed(std::uint64_t id) const { return stages_[id]; }
    /// The next command executes.
    void execute(std::uint64_t id) {
        check(id == executing_++, "all are executed, in order");
        touched_.fill(false);
    }

  private:
    void pass(std::uint64_t id, int stage) const {
        check(id > executing_, "the command that is next is not prefetched for");
        check(stages_[id]++ == stage, "stages come in order, once each");
        check(!touched_[id % touched_.size()], "others execute between two stages");
        touched_[id % touched_.size()] = true;
    }

    mutable std::vector<int> stages_ = std::vector<int>(commands_max);
    mutable std::array<bool, 32> touched_{};  // since the last command executed
    std::uint64_t executing_ = 0;
};

std::vector<Command> numbered() {
    std::vector<Command> commands(commands_max);
    for (std::uint64_t id = 0; id < commands.size(); ++id) commands[id].order_id = id;
    return commands;
}

/// Executes all commands, of which `come(waiting)` more come to wait before each call, at most `at_once` in a call.
/// Returns how many passed each number of stages.
template <typename Come>
std::array<std::uint64_t, 5> stages_passed(std::uint64_t at_once, Come come) {
    const std::vector<Command> commands = numbered();
    NotingStore store;
    LookAhead<NotingStore> ahead;
    std::array<std::uint64_t, 5> passed{};
    std::uint64_t done = 0, there = 0;
    while (done < commands.size()) {
        there = std::min(commands.size(), there + come(there - done));
        const std::uint64_t readable = there - done;
        const Command* const next = commands.data() + done;
        ahead.each(store, next, next + std::min(at_once, readable), next + readable, [&](const Command& command) {
            store.execute(command.order_id);
            ++passed[static_cast<std::size_t>(store.passed(command.order_id))];
            ++done;
        });
    }
    return passed;
}

const Register alone("look ahead: a command that waits alone is not prefetched for", [] {
    check(stages_passed(64, [](std::uint64_t) { return 1; })[0] == commands_max, "nobody was ahead of it");
});

const Register backlog("look ahead: in a backlog all but the first commands pass every stage", [] {
    for (const std::uint64_t at_once : {1, 7, 64}) {
        const std::uint64_t behind = at_once + NotingStore::fetch_slot;
        const auto passed =
            stages_passed(at_once, [&](std::uint64_t waiting) { return waiting <= behind ? behind : 0; });
        check(passed[4] >= commands_max - 5, "all stages, across calls");
        check(passed[0] == 1, "only the first one has nobody before it");
    }
});

const Register bursts("look ahead: commands of a short burst pass as many stages as others execute before them", [] {
    const auto passed = stages_passed(64, [](std::uint64_t) { return 5; });
    const std::uint64_t each = commands_max / 5;
    check(passed == std::array<std::uint64_t, 5>{each, each, each, 2 * each, 0}, "none, one, two, then three");
});

const Register any("look ahead: whatever comes when, no stage is skipped, repeated or read before its time", [] {
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        Random random(seed);
        std::uint64_t executed = 0;
        for (const std::uint64_t number : stages_passed(1 + random.below(30), [&](std::uint64_t waiting) {
                 return waiting == 0 ? 1 + random.below(40) : random.below(4) * random.below(8);
             }))
            executed += number;
        check(executed == commands_max, "all are executed");
    }
});

}  // namespace

}  // namespace look_ahead_tests
