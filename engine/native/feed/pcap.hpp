// Captures of packets in the classic format of libpcap, in either byte order, with times in micro- or nanoseconds.
//
// https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html: a header of 24 bytes, then each packet behind 16
// bytes of its own. The times are the capture's, not the venue's, and are not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/mold_udp64.hpp"
#include "engine/native/feed/udp.hpp"

namespace lowlat {

struct PcapCounts {
    std::uint64_t cut = 0;        // captured only in part
    std::uint64_t fragments = 0;  // of IP
    std::uint64_t others = 0;     // not UDP over IPv4, or not of MoldUDP64
};

/// A frame is the header of the file, or a packet with its own.
class PcapFraming {
  public:
    static constexpr std::size_t header_bytes = 24;
    static constexpr std::size_t record_bytes = 16;
    static constexpr std::uint32_t packet_bytes_max = 1 << 18;  // as libpcap has it
    static constexpr std::size_t events_max = MoldSession::events_max;

    std::size_t frame_bytes(const std::byte* at, std::size_t bytes) const noexcept {
        if (!begun_) return header_bytes;
        if (bytes < record_bytes) return record_bytes;
        const std::uint32_t captured = number(at + 8);
        return captured <= packet_bytes_max ? record_bytes + captured : record_bytes;
    }

    bool decode(ItchDecoder& decoder, Frame frame, EventBlock& out) {
        if (!begun_) return begin(decoder, frame.at());
        const std::uint32_t captured = number(frame.at() + 8);
        if (captured > packet_bytes_max)
            return decoder.end_at(frame.offset + 8, "captured length",
                                  std::to_string(captured) + " is above " + std::to_string(packet_bytes_max) +
                                      ", the most of a packet: the capture is damaged");
        if (captured < number(frame.at() + 12)) return ++counts_.cut != 0;
        const UdpPayload found = udp_payload(link_type_, frame.bytes.subspan(record_bytes));
        if (found.fragment) return ++counts_.fragments != 0;
        if (!MoldSession::is_packet(found.payload)) return ++counts_.others != 0;
        const auto inner = static_cast<std::uint64_t>(found.payload.data() - frame.at());
        return session_.take(decoder, {found.payload, frame.offset + inner}, out);
    }

    /// See MoldSession.
    bool finish(ItchDecoder& decoder, EventBlock& out) { return session_.finish(decoder, out); }

    const PcapCounts& counts() const noexcept { return counts_; }
    const MoldCounts& mold_counts() const noexcept { return session_.counts(); }

  private:
    bool begin(ItchDecoder& decoder, const std::byte* at) {
        const auto magic = itch::big_endian<std::uint32_t>(at);
        swapped_ = magic == 0xD4C3'B2A1 || magic == 0x4D3C'B2A1;
        if (!swapped_ && magic != 0xA1B2'C3D4 && magic != 0xA1B2'3C4D)
            return decoder.end_at(0, "magic number", "it is not that of a capture of packets");
        link_type_ = number(at + 20) & 0xFFFF;
        begun_ = true;
        if (is_link_type(link_type_)) return true;
        return decoder.end_at(20, "link type",
                              std::to_string(link_type_) + " is not one that is read: " + link_types_read);
    }

    /// In the file's byte order; `swapped_`: little-endian.
    std::uint32_t number(const std::byte* at) const noexcept {
        const auto big = itch::big_endian<std::uint32_t>(at);
        return swapped_ ? __builtin_bswap32(big) : big;
    }

    bool begun_ = false;
    bool swapped_ = false;
    std::uint32_t link_type_ = 0;
    PcapCounts counts_;
    MoldSession session_;
};

}  // namespace lowlat
