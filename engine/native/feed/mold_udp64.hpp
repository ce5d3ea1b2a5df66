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
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_messages.hpp"

namespace lowlat {

struct MoldCounts {
    std::uint64_t heartbeats = 0;
    std::uint64_t session_ends = 0;
    std::uint64_t other_sessions = 0;  // packets of another session than the first
    std::uint64_t reordered = 0;       // packets that came late, but in time for those held
    std::uint64_t gaps = 0;
    std::uint64_t lost = 0;      // messages that no packet brought in time
    std::uint64_t repeated = 0;  // messages that came before, or too late
};

/// Follows the first session that it meets: each message is decoded once, in order. A packet that comes too early, as
/// where one of two lines lost a packet, or a capture mixed up its queues, is held until the one ahead of it comes.
class MoldSession {
  public:
    static constexpr std::size_t header_bytes = 20;
    static constexpr std::uint16_t end_of_session = 0xFFFF;
    static constexpr std::uint64_t lost_max = std::uint64_t{1} << 32;
    static constexpr std::size_t held_max = 256;  // packets that are held before the one ahead counts as lost
    /// Events of a packet: a message takes two bytes of length, and 19 at least if it has an event.
    static constexpr std::size_t events_max = 65'535 / (2 + 19) + 1;

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

    /// Decode what is new in a packet that is one, and in those that waited for it, as far as there is room; of the
    /// packet itself there must be. False ends the reading.
    bool take(ItchDecoder& decoder, Frame packet, EventBlock& out) {
        if (!of_this_session(packet.at())) return ++counts_.other_sessions != 0;
        const std::uint64_t first = first_of(packet);
        if (first > next_ && first - next_ > lost_max)
            return decoder.end_at(
                packet.offset, "sequence number",
                std::to_string(first) + " cannot follow " + std::to_string(next_) + ": the packet is damaged");
        if (messages_of(packet.at()) == 0) {
            told_ = std::max(told_, first);
            ++count_of_silence(packet.at());
        } else if (first > next_) {
            hold(packet);
        } else if (!deliver(decoder, packet, out)) {
            return false;
        } else if (!held_.empty() && held_.begin()->first <= next_) {
            ++counts_.reordered;
        }
        return release(decoder, out, held_max);
    }

    /// At the end nothing is waited for any more: decode what is held, as far as there is room. False ends the reading.
    bool finish(ItchDecoder& decoder, EventBlock& out) {
        if (!release(decoder, out, 0)) return false;
        if (held_.empty() && told_ > next_) miss(decoder, told_);
        return true;
    }

    const MoldCounts& counts() const noexcept { return counts_; }

  private:
    struct Held {
        std::vector<std::byte> bytes;
        std::uint64_t offset;
    };

    static std::uint64_t first_of(Frame packet) noexcept { return itch::big_endian<std::uint64_t>(packet.at() + 10); }

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

    void hold(Frame packet) {
        Held held{{packet.bytes.begin(), packet.bytes.end()}, packet.offset};
        if (!held_.emplace(first_of(packet), std::move(held)).second) counts_.repeated += messages_of(packet.at());
    }

    /// Deliver held packets whose turn it is, and skip what is missing while more than `most` are held.
    bool release(ItchDecoder& decoder, EventBlock& out, std::size_t most) {
        while (!held_.empty() && out.room() >= events_max) {
            const auto& [first, held] = *held_.begin();
            if (first > next_) {
                if (held_.size() <= most) break;
                miss(decoder, first);
            }
            if (!deliver(decoder, {held.bytes, held.offset}, out)) return false;
            held_.erase(held_.begin());
        }
        return true;
    }

    /// The messages before number `first` are lost.
    void miss(ItchDecoder& decoder, std::uint64_t first) noexcept {
        ++counts_.gaps;
        counts_.lost += first - next_;
        next_ = first;
        decoder.mark_gap();
    }

    /// Decode the messages of a packet from number `next_` on, which are in it or behind it.
    bool deliver(ItchDecoder& decoder, Frame packet, EventBlock& out) {
        const std::uint32_t messages = messages_of(packet.at());
        const std::uint64_t known = std::min<std::uint64_t>(next_ - first_of(packet), messages);
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

    std::array<std::byte, 10> session_{};
    std::uint64_t next_ = 0;  // number of the message to come; 0: no packet yet
    std::uint64_t told_ = 0;  // the same, as a packet without messages said
    std::map<std::uint64_t, Held> held_;
    MoldCounts counts_;
};

}  // namespace lowlat
