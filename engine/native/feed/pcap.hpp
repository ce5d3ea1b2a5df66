// Captures of packets in the classic format of libpcap, in either byte order, with times in micro- or nanoseconds.
//
// https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html: a header of 24 bytes, then each packet behind 16
// bytes of its own. The times are the capture's, not the venue's, and are not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/native/feed/captured_packets.hpp"
#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"
#include "engine/native/feed/udp.hpp"

namespace lowlat {

/// A number in the byte order of a capture.
inline std::uint32_t number_at(const std::byte* at, bool little_endian) noexcept {
    const auto big = itch::big_endian<std::uint32_t>(at);
    return little_endian ? __builtin_bswap32(big) : big;
}

/// A frame is the header of the file, or a packet with its own.
class PcapFraming {
  public:
    static constexpr std::size_t header_bytes = 24;
    static constexpr std::size_t record_bytes = 16;
    static constexpr std::size_t events_max = CapturedPackets::events_max;

    std::size_t frame_bytes(const std::byte* at, std::size_t bytes) const noexcept {
        if (!begun_) return header_bytes;
        if (bytes < record_bytes) return record_bytes;
        const std::uint32_t captured = number_at(at + 8, little_endian_);
        return captured <= CapturedPackets::bytes_max ? record_bytes + captured : record_bytes;
    }

    bool decode(ItchDecoder& decoder, Frame frame, EventBlock& out) {
        if (!begun_) return begin(decoder, frame.at());
        const std::uint32_t captured = number_at(frame.at() + 8, little_endian_);
        if (captured > CapturedPackets::bytes_max)
            return CapturedPackets::too_long(decoder, frame.offset + 8, captured);
        const std::uint32_t original = number_at(frame.at() + 12, little_endian_);
        return packets_.take(decoder, link_type_, frame.behind(record_bytes), original, out);
    }

    CapturedPackets& packets() noexcept { return packets_; }
    const CapturedPackets& packets() const noexcept { return packets_; }

  private:
    bool begin(ItchDecoder& decoder, const std::byte* at) {
        const auto magic = itch::big_endian<std::uint32_t>(at);
        little_endian_ = magic == 0xD4C3'B2A1 || magic == 0x4D3C'B2A1;
        if (!little_endian_ && magic != 0xA1B2'C3D4 && magic != 0xA1B2'3C4D)
            return decoder.end_at(0, "magic number", "it is not that of a capture of packets");
        link_type_ = number_at(at + 20, little_endian_) & 0xFFFF;
        begun_ = true;
        return is_link_type(link_type_) || decoder.end_at(20, "link type", not_read(link_type_));
    }

    bool begun_ = false;
    bool little_endian_ = false;
    std::uint32_t link_type_ = 0;
    CapturedPackets packets_;
};

}  // namespace lowlat
