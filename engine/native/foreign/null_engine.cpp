#include "engine/native/foreign/null_engine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lowlat {
namespace {

/// All that it knows: how many commands there were, and what is left to drain.
struct NullEngine {
    std::size_t command_size;
    std::uint64_t sequence = 0;
    const std::byte* left = nullptr;  // commands without an event yet
    std::size_t count = 0;
};

void* create(const lowlat_engine_settings* settings) {
    return new NullEngine{.command_size = settings->command_size};
}

void destroy(void* engine) {
    delete static_cast<NullEngine*>(engine);
}

void reset(void* engine) {
    static_cast<NullEngine*>(engine)->sequence = 0;
}

lowlat_event accepted(NullEngine& engine, const std::byte* command) {
    const auto& order = *reinterpret_cast<const lowlat_command*>(command);
    return {.sequence = engine.sequence++,
            .order_id = order.order_id,
            .maker_id = 0,
            .price = order.price,
            .quantity = 0,
            .remaining = static_cast<std::uint32_t>(order.quantity),
            .maker_remaining = 0,
            .symbol = order.symbol,
            .trade_id = 0,
            .kind = LOWLAT_ACCEPTED,
            .side = order.side,
            .reason = 0,
            .command = order.kind,
            .zero = 0};
}

// NOLINTBEGIN(bugprone-easily-swappable-parameters): in the order of lowlat_engine_interface
void execute(void* held, const void* commands, std::size_t count, lowlat_event_callback emit, void* to) {
    auto& engine = *static_cast<NullEngine*>(held);
    const auto* command = static_cast<const std::byte*>(commands);
    for (std::size_t at = 0; at < count; ++at, command += engine.command_size) {
        const lowlat_event event = accepted(engine, command);
        emit(to, &event);
    }
}

std::size_t drain(void* held, lowlat_event* events, std::size_t room) {
    auto& engine = *static_cast<NullEngine*>(held);
    const std::size_t written = std::min(engine.count, room);
    for (std::size_t at = 0; at < written; ++at, engine.left += engine.command_size)
        events[at] = accepted(engine, engine.left);
    engine.count -= written;
    return written;
}

std::size_t process(void* held, const void* commands, std::size_t count, lowlat_event* events, std::size_t room) {
    auto& engine = *static_cast<NullEngine*>(held);
    engine.left = static_cast<const std::byte*>(commands);
    engine.count = count;
    return drain(held, events, room);
}

// NOLINTEND(bugprone-easily-swappable-parameters)

constexpr lowlat_engine_interface null_interface(bool calls_back) {
    return {.version = LOWLAT_ENGINE_INTERFACE_VERSION,
            .size = sizeof(lowlat_engine_interface),
            .name = "null",
            .engine_version = "1",
            .capabilities = 0,
            .create = create,
            .destroy = destroy,
            .reset = reset,
            .execute = calls_back ? execute : nullptr,
            .process = calls_back ? nullptr : process,
            .drain = calls_back ? nullptr : drain};
}

constexpr lowlat_engine_interface by_callback = null_interface(true);
constexpr lowlat_engine_interface by_buffer = null_interface(false);

}  // namespace

const lowlat_engine_interface& null_engine(bool calls_back) {
    return calls_back ? by_callback : by_buffer;
}

}  // namespace lowlat
