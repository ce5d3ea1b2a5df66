// How a file divides into ITCH messages. A framing says how many bytes its next frame has, and decodes a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"
#include "engine/native/platform/compiler.hpp"

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
    static LOWLAT_INLINE bool decode(ItchDecoder& decoder, Frame frame, EventBlock& out) {
        if (likely(frame.size() != 1)) return decoder.decode(frame, out);
        return decoder.end_at(frame.offset, "type",
                              std::to_string(static_cast<unsigned>(*frame.at())) +
                                  " is no message type: the file is damaged or no ITCH 5.0");
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

    LOWLAT_INLINE bool decode(ItchDecoder& decoder, Frame frame, EventBlock& out) {
        if (unlikely(ended_))
            return decoder.end_at(frame.offset, "length",
                                  "there are bytes behind the end of the session; cut them off");
        if (likely(frame.size() != prefix_bytes)) return decoder.decode(frame.behind(prefix_bytes), out);
        ended_ = true;
        return true;
    }

  private:
    bool ended_ = false;
};

}  // namespace lowlat
