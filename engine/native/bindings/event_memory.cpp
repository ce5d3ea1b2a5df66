#include "engine/native/bindings/event_memory.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "engine/native/bindings/py_array.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// The memory of this many events, 16 MiB, is simply kept. What is more is kept as memory that the system may take.
constexpr std::uint64_t kept_events = 262'144;
/// Memory of more events than this, 256 MiB, is freed.
constexpr std::uint64_t most_kept_events = 16 * kept_events;

struct EventBlock {
    GrowingSink::Events events;
    std::uint64_t capacity = 0;
    std::uint64_t count = 0;
};

/// The block that was freed last, of any engine. One is enough for a loop that drops each result with the next one:
/// two blocks take turns. Used under the GIL only.
EventBlock spare;

/// Let the system know something of whole pages; without effect where it does not know the advice.
void advise([[maybe_unused]] const Event* first, [[maybe_unused]] std::uint64_t count, [[maybe_unused]] int advice) {
    constexpr std::uintptr_t page = 4096;
    const auto start = (reinterpret_cast<std::uintptr_t>(first) + page - 1) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(first + count) / page * page;
    static_cast<void>(madvise(reinterpret_cast<void*>(start), end - start, advice));
}

void keep(void* held) noexcept {
    const std::unique_ptr<EventBlock> block(static_cast<EventBlock*>(held));
    if (block->count > kept_events) advise(block->events.get(), block->count, MADV_FREE);
    std::swap(spare, *block);
}

}  // namespace

GrowingSink sink_for(std::uint64_t commands, std::uint64_t live) {
    // Most flows have less than 1.5 events per command, and the last block needs room for its most events.
    const std::uint64_t enough = commands + commands / 2 + live;
    EventBlock last = std::exchange(spare, {});
    if (last.capacity >= enough && last.capacity <= 4 * enough) return {std::move(last.events), last.capacity};
    last.events.reset();
    const bool large = commands > kept_events;
    const std::uint64_t capacity = 2 * commands + (large ? 0 : live + live / 4);
    GrowingSink sink(capacity);
    if (large) advise(sink.first(), capacity, MADV_HUGEPAGE);
    return sink;
}

RecordArray array_of(GrowingSink::Events events, std::uint64_t count) {
    Event* const first = events.get();
    nb::capsule owner(first, [](void* held) noexcept { GrowingSink::Free{}(static_cast<Event*>(held)); });
    static_cast<void>(events.release());
    return event_array(first, count, std::move(owner));
}

RecordArray array_of(GrowingSink& sink) {
    const std::uint64_t count = sink.count();
    if (count > most_kept_events || count == 0) return array_of(sink.release(), count);
    const std::uint64_t capacity = sink.capacity();
    auto block = std::make_unique<EventBlock>(sink.release_all(), capacity, count);
    Event* const first = block->events.get();
    nb::capsule owner(block.get(), keep);
    static_cast<void>(block.release());
    return event_array(first, count, std::move(owner));
}

}  // namespace lowlat
