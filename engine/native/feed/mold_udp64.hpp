// MoldUDP64 packets, in which Nasdaq sends its feeds by multicast.
//
// "MoldUDP64 Protocol Specification 1.0":
// https://www.nasdaqtrader.com/content/technicalsupport/specifications/dataproducts/moldudp64.pdf
//
//   0 session (10)   10 number of the first message (8)   18 messages (2)   then each message behind its length (2)
//
// No messages: a heartbeat; 0xFFFF: the end of the session. Both carry the number of the message to come.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"

namespace lowlat {

struct MoldCounts {
    std::uint64_t heartbeats = 0;
    std::uint64_t session_ends = 0;
    std::uint64_t other_sessions = 0;  // packets of another session than the first
    std::uint64_t gaps = 0;
    std::uint64_t lost = 0;      // messages that no packet brought
    std::uint64_t repeated = 0;  // messages that came before, or after the gap that they left
};

/// Follows the first session that it meets: each message is decoded once, in order.
class MoldSession {
  public:
    static constexpr std::size_t header_bytes = 20;
    static constexpr std::uint16_t end_of_session = 0xFFFF;
    static constexpr std::uint64_t lost_max = std::uint64_t{1} << 32;

    /// Whether the bytes are such a packet: its messages fill it.
    static bool is_packet(std::span<const std::byte> packet) noexcept {
        if (packet.size() < header_bytes) return false;
        std::size_t at = header_bytes;
        for (std::uint32_t left = messages_of(packet.data()); left != 0; --left) {
            if (packet.size() - at < 2) return false;
            const std::size_t length = itch::big_endian<std::uint16_t>(packet.data() + at);
            if (length == 0 || packet.size() - at - 2 < length) return false;
            at += 2 + length;
        }
        return at == packet.size();
    }

    /// Decode what is new in a packet that is one. False ends the reading.
    bool decode(ItchDecoder& decoder, Frame packet, EventBlock& out) {
        if (!of_this_session(packet.at())) return ++counts_.other_sessions != 0;
        const auto first = itch::big_endian<std::uint64_t>(packet.at() + 10);
        if (!notice_gap(decoder, first, packet.offset)) return false;
        const std::uint32_t messages = messages_of(packet.at());
        if (messages == 0) return ++count_of_silence(packet.at()) != 0;
        const std::uint64_t known = std::min<std::uint64_t>(next_ - first, messages);
        counts_.repeated += known;
        next_ += messages - known;
        Frame left = packet.behind(header_bytes);
        for (std::uint32_t n = 0; n < messages; ++n) {
            const std::size_t length = itch::big_endian<std::uint16_t>(left.at());
            const Frame message{left.bytes.subspan(2, length), left.offset + 2};
            if (n >= known && !decoder.decode(message, out)) return false;
            left = left.behind(2 + length);
        }
        return true;
    }

    const MoldCounts& counts() const noexcept { return counts_; }

  private:
    /// How many messages follow.
    static std::uint32_t messages_of(const std::byte* packet) noexcept {
        const auto said = itch::big_endian<std::uint16_t>(packet + 18);
        return said == end_of_session ? 0 : said;
    }

    std::uint64_t& count_of_silence(const std::byte* packet) noexcept {
        const bool ends = itch::big_endian<std::uint16_t>(packet + 18) == end_of_session;
        return ends ? counts_.session_ends : counts_.heartbeats;
    }

    bool of_this_session(const std::byte* packet) noexcept {
        if (next_ == 0) {
            std::memcpy(session_.data(), packet, session_.size());
            next_ = itch::big_endian<std::uint64_t>(packet + 10);
        }
        return std::memcmp(session_.data(), packet, session_.size()) == 0;
    }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a number in the packet at that offset
    bool notice_gap(ItchDecoder& decoder, std::uint64_t first, std::uint64_t offset) {
        if (first <= next_) return true;
        if (first - next_ > lost_max)
            return decoder.end_at(
                offset, "sequence number",
                std::to_string(first) + " cannot follow " + std::to_string(next_) + ": the packet is damaged");
        ++counts_.gaps;
        counts_.lost += first - next_;
        next_ = first;
        decoder.mark_gap();
        return true;
    }

    std::array<std::byte, 10> session_{};
    std::uint64_t next_ = 0;  // number of the message to come; 0: no packet yet
    MoldCounts counts_;
};

}  // namespace lowlat
