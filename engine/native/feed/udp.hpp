// Finds what a UDP datagram over IPv4 carries, in a packet as it was captured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/native/feed/itch_messages.hpp"

namespace lowlat {

/// Numbers of link types (https://www.tcpdump.org/linktypes.html).
namespace link {
inline constexpr std::uint32_t ethernet = 1;
inline constexpr std::uint32_t raw_ip = 101;
inline constexpr std::uint32_t linux_cooked = 113;
inline constexpr std::uint32_t ipv4 = 228;
inline constexpr std::uint32_t linux_cooked_2 = 276;
}  // namespace link

/// Says that a link type is not one of those.
inline std::string not_read(std::uint32_t link_type) {
    return std::to_string(link_type) +
           " is not one that is read: 1 (Ethernet), 101 and 228 (IP), 113 and 276 (Linux cooked)";
}

constexpr bool is_link_type(std::uint32_t type) noexcept {
    return type == link::ethernet || type == link::raw_ip || type == link::linux_cooked || type == link::ipv4 ||
           type == link::linux_cooked_2;
}

struct UdpPayload {
    std::span<const std::byte> payload;
    bool fragment = false;  // of a larger IP packet
};

/// The IP packet behind the headers of its link; empty if it is none of IPv4.
inline std::span<const std::byte> ip_packet(std::uint32_t link_type, std::span<const std::byte> packet) noexcept {
    constexpr std::uint16_t ipv4_protocol = 0x0800;
    std::size_t protocol_at = 0;
    std::size_t head = 0;
    switch (link_type) {
        case link::ethernet:
            protocol_at = 12, head = 14;
            break;
        case link::linux_cooked:
            protocol_at = 14, head = 16;
            break;
        case link::linux_cooked_2:
            protocol_at = 0, head = 20;
            break;
        default:
            return packet;
    }
    if (packet.size() < head) return {};
    auto protocol = itch::big_endian<std::uint16_t>(packet.data() + protocol_at);
    // VLAN tags of 802.1Q and 802.1ad, one inside the other
    while (protocol == 0x8100 || protocol == 0x88A8) {
        if (packet.size() < head + 4) return {};
        protocol = itch::big_endian<std::uint16_t>(packet.data() + head + 2);
        head += 4;
    }
    return protocol == ipv4_protocol ? packet.subspan(head) : std::span<const std::byte>{};
}

/// The payload is empty if the packet carries no UDP datagram over IPv4 that is whole.
inline UdpPayload udp_payload(std::uint32_t link_type, std::span<const std::byte> packet) noexcept {
    constexpr std::size_t udp_head = 8;
    const std::span<const std::byte> ip = ip_packet(link_type, packet);
    if (ip.size() < 20 || (std::to_integer<unsigned>(ip[0]) >> 4) != 4) return {};
    const std::size_t head = (std::to_integer<std::size_t>(ip[0]) & 15) * 4;
    const std::size_t whole = itch::big_endian<std::uint16_t>(ip.data() + 2);
    const auto fragment = itch::big_endian<std::uint16_t>(ip.data() + 6);
    if (ip[9] != std::byte{17} || head < 20 || whole < head + udp_head || whole > ip.size()) return {};
    if ((fragment & 0x3FFF) != 0) return {.payload = {}, .fragment = true};
    const std::span<const std::byte> udp = ip.subspan(head, whole - head);
    const std::size_t length = itch::big_endian<std::uint16_t>(udp.data() + 4);
    if (length < udp_head || length > udp.size()) return {};
    return {.payload = udp.subspan(udp_head, length - udp_head)};
}

}  // namespace lowlat
