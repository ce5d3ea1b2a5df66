// How a file divides into ITCH messages. A framing says how many bytes its next frame has, and decodes a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"

namespace lowlat {

/// Messages back to back: a type says how long its messages are, so an unknown one ends the reading.
class BareFraming {
  public:
    static constexpr std::size_t events_max = 1;

    /// Bytes of the frame at `at`; more than `bytes` if so many are not enough to know.
    static std::size_t frame_bytes(const std::byte* at, std::size_t bytes) noexcept {
        if (bytes == 0) return 1;
        const std::size_t length = itch::lengths[static_cast<unsigned char>(*at)];
        return length != 0 ? length : 1;
    }

    /// Decode a whole frame. False ends the reading.
    static bool decode(ItchDecoder& decoder, const std::byte* at, std::size_t bytes, std::uint64_t offset,
                       EventBlock& out) {
        if (bytes != 1) return decoder.decode(at, bytes, offset, out);
        return decoder.end_at(offset, "type",
                              std::to_string(static_cast<unsigned>(*at)) +
                                  " is no message type, and nothing tells the length of its message");
    }
};

/// Each message behind its length in two bytes, as in Nasdaq's BinaryFILE, which a length of zero ends.
class PrefixedFraming {
  public:
    static constexpr std::size_t events_max = 1;
    static constexpr std::size_t prefix_bytes = 2;

    static std::size_t frame_bytes(const std::byte* at, std::size_t bytes) noexcept {
        if (bytes < prefix_bytes) return prefix_bytes;
        return prefix_bytes + itch::big_endian<std::uint16_t>(at);
    }

    bool decode(ItchDecoder& decoder, const std::byte* at, std::size_t bytes, std::uint64_t offset, EventBlock& out) {
        if (unlikely(ended_)) return decoder.end_at(offset, "length", "there are bytes behind the end of the session");
        if (likely(bytes != prefix_bytes)) return decoder.decode(at + prefix_bytes, bytes - prefix_bytes, offset, out);
        ended_ = true;
        return true;
    }

  private:
    bool ended_ = false;
};

}  // namespace lowlat
