// The trade tape keeps the last executions, in order, whatever was drained, recycled or grown before.
#include <deque>
#include <vector>

#include "engine/native/flow/random.hpp"
#include "engine/native/matching/trade_tape.hpp"
#include "tests/native/checks.hpp"

namespace trade_tape_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

void check_holds(const TradeTape& tape, const std::deque<std::uint64_t>& expected) {
    check(tape.held() == expected.size() && tape.room() == tape.capacity() - expected.size(), "held and room");
    check(tape.full() == (tape.room() == 0), "full when there is no room");
    auto next = expected.begin();
    tape.for_each([&](const Trade& trade) { check(trade.maker_id == *next++, "oldest first"); });
    check(next == expected.end(), "every record");
}

Trade print(std::uint64_t trade) {
    return {.maker_id = trade, .taker_id = 0, .price = 0, .quantity = 1, .symbol = 0};
}

const Register recycles("tape: when full, the oldest record is overwritten and counted", [] {
    std::vector<Trade> records(3);
    TradeTape tape(records.data(), 3);
    for (std::uint64_t trade = 1; trade <= 5; ++trade) tape.acquire() = print(trade);
    check_holds(tape, {3, 4, 5});
    check(tape.recycled() == 2, "two were overwritten");
    tape.reset();
    check_holds(tape, {});
    check(tape.recycled() == 0, "a reset tape has overwritten none");
});

const Register against_a_queue("tape: random steps against a queue", [] {
    std::deque<std::uint64_t> model;
    std::vector<std::vector<Trade>> memory(1, std::vector<Trade>(1));
    TradeTape tape(memory.back().data(), 1);
    Random random(1);
    std::uint64_t trade = 0;
    std::uint64_t recycled = 0;
    for (int step = 0; step < 200'000; ++step) {
        const std::uint32_t drawn = random.below(1'000);
        if (drawn == 0) {
            check(tape.drain() == model.size(), "a drain says how many it released");
            model.clear();
        } else if (drawn == 1 && tape.capacity() < 4'096) {
            memory.push_back(memory.back());
            memory.back().resize(tape.capacity() * 2);
            tape.grow(memory.back().data(), memory.back().size());
        } else {
            if (tape.full()) {
                model.pop_front();
                ++recycled;
            }
            tape.acquire() = print(++trade);
            model.push_back(trade);
        }
        check(tape.recycled() == recycled, "overwritten records are counted");
        if (step % 64 == 0) check_holds(tape, model);
    }
});

}  // namespace

}  // namespace trade_tape_tests
