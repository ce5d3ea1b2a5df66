// Captures of packets as Wireshark and dumpcap write them, in either byte order, of one section or more.
//
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html: blocks, each between its length and its length
// again. A section begins with its byte order, an interface has its link type, a packet names its interface. Everything
// else, times among it, is passed over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/native/feed/captured_packets.hpp"
#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"
#include "engine/native/feed/pcap.hpp"
#include "engine/native/feed/udp.hpp"

namespace lowlat {

/// A frame is a block.
class PcapngFraming {
  public:
    static constexpr std::size_t head_bytes = 12;  // type, length, and the byte order of a section
    static constexpr std::uint32_t block_bytes_max = 1 << 24;
    static constexpr std::size_t interfaces_max = 1 << 16;
    static constexpr std::size_t events_max = CapturedPackets::events_max;

    std::size_t frame_bytes(const std::byte* at, std::size_t bytes) const noexcept {
        if (bytes < head_bytes) return head_bytes;
        const std::uint32_t block = number_at(at + 4, little_endian(at));
        return is_length(block) ? block : head_bytes;
    }

    bool decode(ItchDecoder& decoder, Frame block, EventBlock& out) {
        little_endian_ = little_endian(block.at());
        const std::uint32_t length = number(block, 4);
        if (!is_length(length) || number(block, length - 4) != length)
            return decoder.end_at(block.offset + 4, "block length",
                                  std::to_string(length) + " is not that of a block: the capture is damaged");
        switch (number(block, 0)) {
            case section:
                interfaces_.clear();
                return true;
            case interface:
                return add_interface(decoder, block);
            case packet:
                return length < 32
                           ? short_block(decoder, block)
                           : take(decoder, {number(block, 8), number(block, 20), number(block, 24), 28}, block, out);
            case simple_packet:
                return length < 16 ? short_block(decoder, block)
                                   : take(decoder, {0, std::min(number(block, 8), length - 16), number(block, 8), 12},
                                          block, out);
            default:
                return true;
        }
    }

    CapturedPackets& packets() noexcept { return packets_; }
    const CapturedPackets& packets() const noexcept { return packets_; }

  private:
    static constexpr std::uint32_t section = 0x0A0D'0D0A;  // the same in both byte orders
    static constexpr std::uint32_t interface = 1;
    static constexpr std::uint32_t simple_packet = 3;
    static constexpr std::uint32_t packet = 6;

    /// What a block says of its packet, and where in the block that begins.
    struct Packet {
        std::uint32_t interface;
        std::uint32_t captured;
        std::uint32_t original;
        std::size_t begin;
    };

    static bool is_length(std::uint32_t length) noexcept {
        return length >= head_bytes && length <= block_bytes_max && length % 4 == 0;
    }

    /// The byte order of a block: a section says its own.
    bool little_endian(const std::byte* block) const noexcept {
        if (itch::big_endian<std::uint32_t>(block) != section) return little_endian_;
        return itch::big_endian<std::uint32_t>(block + 8) == 0x4D3C'2B1A;
    }

    std::uint32_t number(Frame block, std::size_t at) const noexcept {
        return number_at(block.at() + at, little_endian_);
    }

    static bool short_block(ItchDecoder& decoder, Frame block) {
        return decoder.end_at(block.offset + 4, "block length", "it is too short: the capture is damaged");
    }

    bool add_interface(ItchDecoder& decoder, Frame block) {
        if (block.size() < 20) return short_block(decoder, block);
        const std::uint32_t both = number(block, 8);
        const std::uint32_t link_type = little_endian_ ? both & 0xFFFF : both >> 16;
        if (interfaces_.size() == interfaces_max)
            return decoder.end_at(block.offset, "interfaces", "there are more than " + std::to_string(interfaces_max));
        interfaces_.push_back(link_type);
        return is_link_type(link_type) || decoder.end_at(block.offset + 8, "link type", not_read(link_type));
    }

    bool take(ItchDecoder& decoder, Packet said, Frame block, EventBlock& out) {
        if (said.interface >= interfaces_.size())
            return decoder.end_at(block.offset + 8, "interface",
                                  std::to_string(said.interface) + " is not described: the capture is damaged");
        if (said.captured > CapturedPackets::bytes_max || said.captured > block.size() - said.begin - 4)
            return CapturedPackets::too_long(decoder, block.offset + 20, said.captured);
        const Frame bytes{block.bytes.subspan(said.begin, said.captured), block.offset + said.begin};
        return packets_.take(decoder, interfaces_[said.interface], bytes, said.original, out);
    }

    bool little_endian_ = false;
    std::vector<std::uint32_t> interfaces_;  // their link types
    CapturedPackets packets_;
};

}  // namespace lowlat
