// Packets as they were captured, whatever the format of the file: those of MoldUDP64 are decoded, the rest is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/mold_udp64.hpp"
#include "engine/native/feed/udp.hpp"

namespace lowlat {

struct PacketCounts {
    std::uint64_t cut = 0;        // captured only in part
    std::uint64_t fragments = 0;  // of IP
    std::uint64_t others = 0;     // not UDP over IPv4, or not of MoldUDP64
};

class CapturedPackets {
  public:
    static constexpr std::uint32_t bytes_max = 1 << 18;  // of a packet, as libpcap has it
    static constexpr std::size_t events_max = MoldSession::events_max;

    /// Decode a packet that was `original` bytes long. False ends the reading.
    bool take(ItchDecoder& decoder, std::uint32_t link_type, Frame packet, std::uint32_t original, EventBlock& out) {
        if (packet.size() == 0 && original == 0)  // as zeros say it, of which a sparse file has no end
            return decoder.end_at(packet.offset, "packet", "it has no bytes: the capture is damaged");
        if (packet.size() < original) return ++counts_.cut != 0;
        const UdpPayload found = udp_payload(link_type, packet.bytes);
        if (found.fragment) return ++counts_.fragments != 0;
        if (!MoldSession::is_packet(found.payload)) return ++counts_.others != 0;
        const auto inner = static_cast<std::uint64_t>(found.payload.data() - packet.at());
        return session_.take(decoder, {found.payload, packet.offset + inner}, out);
    }

    /// See MoldSession.
    bool finish(ItchDecoder& decoder, EventBlock& out) { return session_.finish(decoder, out); }

    /// A packet of so many bytes is none.
    static bool too_long(ItchDecoder& decoder, std::uint64_t offset, std::uint32_t bytes) {
        return decoder.end_at(offset, "captured length",
                              std::to_string(bytes) + " is above " + std::to_string(bytes_max) +
                                  ", the most of a packet: the capture is damaged");
    }

    const PacketCounts& counts() const noexcept { return counts_; }
    const MoldCounts& mold_counts() const noexcept { return session_.counts(); }

  private:
    PacketCounts counts_;
    MoldSession session_;
};

}  // namespace lowlat
