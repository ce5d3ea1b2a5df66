#include "engine/native/bindings/event_memory.hpp"

#include <memory>
#include <utility>

#include "engine/native/bindings/py_array.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// 16 MiB of events: the memory of more is only kept for a program that has such batches again and again.
constexpr std::uint64_t kept_events = 262'144;
/// 256 MiB of events: the memory of more is always freed.
constexpr std::uint64_t most_kept_events = 16 * kept_events;

struct EventBlock {
    GrowingSink::Events events;
    std::uint64_t capacity = 0;
    std::uint64_t count = 0;
};

/// The block that was freed last, of any engine. One is enough for a loop that drops each result with the next one:
/// two blocks take turns. Used under the GIL only.
EventBlock spare;
/// The capacity of the large block that was freed last.
std::uint64_t last_large = 0;

/// Whether memory for `capacity` events is kept with `count` in it: not if most of it is a reserve for a deep book.
bool is_kept(std::uint64_t capacity, std::uint64_t count) {
    return count != 0 && count <= most_kept_events && (capacity <= kept_events || capacity <= 4 * count);
}

void drop(void* held) noexcept {
    delete static_cast<EventBlock*>(held);
}

void keep(void* held) noexcept {
    const std::unique_ptr<EventBlock> block(static_cast<EventBlock*>(held));
    if (block->events == nullptr) return;  // its array could not be made
    const bool large = block->count > kept_events;
    if (!large || std::exchange(last_large, block->capacity) == block->capacity) std::swap(spare, *block);
}

}  // namespace

GrowingSink sink_for(std::uint64_t commands, std::uint64_t live) {
    // Most flows have less than 1.5 events per command, and the last block needs room for its most events.
    const std::uint64_t enough = commands + commands / 2 + live;
    EventBlock last = std::exchange(spare, {});
    if (last.capacity >= enough && last.capacity <= 4 * enough) return {std::move(last.events), last.capacity};
    last.events.reset();
    return GrowingSink(2 * commands + (commands > kept_events ? 0 : live + live / 4));
}

RecordArray array_of(GrowingSink::Events events, std::uint64_t count) {
    Event* const first = events.get();
    nb::capsule owner(first, [](void* held) noexcept { GrowingSink::Free{}(static_cast<Event*>(held)); });
    static_cast<void>(events.release());
    return event_array(first, count, std::move(owner));
}

RecordArray array_of(GrowingSink& sink) {
    const bool kept = is_kept(sink.capacity(), sink.count());
    if (!kept) sink.shrink();
    auto block = std::make_unique<EventBlock>();
    nb::capsule owner(block.get(), kept ? keep : drop);
    EventBlock& held = *block.release();
    RecordArray events = event_array(sink.events(), sink.count(), std::move(owner));
    // Nothing fails from here on: until now, the events were the sink's.
    held.count = sink.count();
    held.capacity = sink.capacity();
    held.events = sink.release();
    return events;
}

}  // namespace lowlat
