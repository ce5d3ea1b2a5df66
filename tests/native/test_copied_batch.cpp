// A batch whose memory changes while it executes: a sink overwrites each command as soon as its first event is emitted,
// as another thread might.
#include <cstdint>
#include <vector>

#include "engine/native/matching/copied_batch.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "tests/native/checks.hpp"

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::uint64_t commands = 100;
constexpr std::int64_t price = 100;

/// Moves the price and the id of the command that is executing, in the caller's memory.
class MeddlingSink {
  public:
    explicit MeddlingSink(std::vector<Command>& batch) : batch_(batch) {}
    Event& next() {
        Command& meddled = batch_[count_++ % batch_.size()];
        meddled.price += 50;
        meddled.order_id += 1'000;
        return event_;
    }

  private:
    std::vector<Command>& batch_;
    std::uint64_t count_ = 0;
    Event event_{};
};

std::vector<Command> buys() {
    std::vector<Command> batch(commands);
    for (std::uint64_t n = 0; n < commands; ++n)
        batch[n] = {.order_id = n, .price = price, .quantity = 1, .symbol = 0, .kind = CommandType::limit};
    return batch;
}

EngineConfig settings() {
    return {.symbols = {SymbolRules{.tick = 1, .lot = 1, .price_min = INT64_MIN, .price_max = INT64_MAX}},
            .orders = 1'000,
            .trades = 1'000};
}

/// Whether all orders rest where they were when they were checked.
bool as_sent(const Matcher& matcher) {
    std::uint64_t levels = 0;
    bool there = true;
    matcher.for_each_level(0, Side::buy, [&](const LevelRow& row) {
        ++levels;
        there = row.price == price && row.order_count == commands;
        return true;
    });
    return levels == 1 && there;
}

const Register executed_as_checked("copied batch: commands that change meanwhile are executed as they were checked",
                                   [] {
                                       for (const std::uint64_t block : {1, 7, 16, 17, 100, 1'000}) {
                                           std::vector<Command> batch = buys();
                                           Matcher matcher(settings());
                                           MeddlingSink sink(batch);
                                           CopiedBatch<Command> copied(matcher, batch.data(), batch.size());
                                           while (copied.left() != 0) copied.execute(block, sink);
                                           check(copied.executed() == commands, "all are executed");
                                           check(as_sent(matcher), "every order rests at the price that was checked");
                                           check_invariants(matcher);
                                       }
                                   });

const Register noticed_in_place("copied batch: one that is executed in place would be noticed", [] {
    std::vector<Command> batch = buys();
    Matcher matcher(settings());
    MeddlingSink sink(batch);
    matcher.execute_all(batch.data(), batch.size(), sink);
    check(!as_sent(matcher), "orders rest at prices that nobody checked");
});

}  // namespace
