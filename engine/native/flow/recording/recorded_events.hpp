// The events of one symbol of a recording, column by column, as numpy holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lowlat {

/// A column of integers of one, two, four or eight bytes. `is_signed`: whether narrow ones are.
class EventColumn {
  public:
    EventColumn() = default;
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    EventColumn(const void* data, std::size_t width, bool is_signed)
        : data_(static_cast<const std::byte*>(data)), width_(width), signed_(is_signed) {}

    /// A number, its sign extended. Any other width than these reads as bytes.
    std::int64_t operator[](std::int64_t index) const {
        const std::byte* const at = data_ + static_cast<std::size_t>(index) * width_;
        switch (width_) {
            case 8:
                return read<std::int64_t>(at);
            case 4:
                return signed_ ? read<std::int32_t>(at) : std::int64_t{read<std::uint32_t>(at)};
            case 2:
                return read<std::uint16_t>(at);
            default:
                return read<std::uint8_t>(at);
        }
    }

    std::uint64_t id(std::int64_t index) const { return static_cast<std::uint64_t>((*this)[index]); }

  private:
    template <typename Number>
    static Number read(const std::byte* at) {
        Number number;
        std::memcpy(&number, at, sizeof(number));
        return number;
    }

    const std::byte* data_ = nullptr;
    std::size_t width_ = 1;
    bool signed_ = false;
};

/// All columns. `last`: for the order that enters at an event, the last event that names it; `again`: whether its id
/// was used before. `size`: how many events.
struct RecordedEvents {
    EventColumn action, order_id, price, quantity, side, flags, time_ns, other_id, last, again;
    std::int64_t size = 0;
};

}  // namespace lowlat
