// A batch whose memory changes while it executes: a sink overwrites each command as soon as its first event is emitted,
// as another thread might.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/native/matching/copied_batch.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/records.hpp"
#include "tests/native/checks.hpp"

namespace copied_batch_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

constexpr std::int64_t price = 100;

/// Changes price and id of the command that is executing, in the caller's memory.
class MeddlingSink {
  public:
    explicit MeddlingSink(std::vector<Command>& batch) : batch_(batch) {}
    Event& next() {
        Command& command = batch_[count_++ % batch_.size()];
        command.price += 50;
        command.order_id += batch_.size();
        return event_;
    }

  private:
    std::vector<Command>& batch_;
    std::uint64_t count_ = 0;
    Event event_{};
};

std::vector<Command> buys(std::uint64_t count) {
    std::vector<Command> batch(count);
    for (std::uint64_t n = 0; n < count; ++n)
        batch[n] = {.order_id = n,
                    .price = price,
                    .quantity = 1,
                    .symbol = 0,
                    .kind = CommandType::limit,
                    .side = 0,
                    .time_in_force = 0,
                    .flags = 0};
    return batch;
}

EngineConfig settings() {
    return {.symbols = {SymbolRules{.tick = 1, .lot = 1, .price_min = INT64_MIN, .price_max = INT64_MAX}},
            .orders = 1'000,
            .trades = 1'000};
}

/// Whether all orders rest as they were when they were checked.
bool as_sent(const Matcher& matcher, std::uint64_t count) {
    std::uint64_t levels = 0;
    bool there = true;
    matcher.for_each_level(0, Side::buy, [&](const LevelRow& row) {
        ++levels;
        there = row.price == price && row.order_count == count;
        return true;
    });
    for (std::uint64_t id = 0; id < count; ++id) there &= matcher.find(id, 0) != nil;
    return levels == 1 && there;
}

const Register executed_as_checked("copied batch: commands that change meanwhile are executed as they were checked",
                                   [] {
                                       for (const std::uint64_t count :
                                            {1, 15, 16, 17, 127, 128, 129, 143, 144, 145, 256, 1'000}) {
                                           std::vector<Command> batch = buys(count);
                                           Matcher matcher(settings());
                                           MeddlingSink sink(batch);
                                           CopiedBatch<Command> copied(matcher, batch.data(), batch.size());
                                           while (copied.left() != 0) copied.execute_block(sink);
                                           check(copied.executed() == count, "all are executed");
                                           check(as_sent(matcher, count), "every order rests as it was checked");
                                           check_invariants(matcher);
                                       }
                                   });

#if !defined(LOWLAT_CHECKED)  // there the invariants notice it, and abort
const Register noticed_in_place("copied batch: one that is executed in place would be noticed", [] {
    std::vector<Command> batch = buys(100);
    Matcher matcher(settings());
    MeddlingSink sink(batch);
    matcher.execute_all(batch.data(), batch.size(), sink);
    check(!as_sent(matcher, batch.size()), "orders rest that nobody checked");
});
#endif

const Register reused("copied batch: the next copy reuses the memory, unless it is large", [] {
    const std::vector<Command> batch = buys(BatchCopy::kept_bytes / sizeof(Command) + 1);
    const std::span all(batch), small = all.first(100), fewer = all.first(50);
    BatchCopy copy;
    const Command* const first = copy.of(small).data();
    check(first != batch.data() && copy.of(fewer).data() == first, "both are in the same memory");
    check(copy.of(all.first(0)).empty() && copy.of(fewer)[49].order_id == 49, "what was copied");
    check(copy.of(all).size() == all.size() && copy.held() > BatchCopy::kept_bytes, "a large batch takes more");
    check(copy.of(small)[99].order_id == 99 && copy.held() == small.size_bytes(), "the next batch frees it");
});

}  // namespace

}  // namespace copied_batch_tests
