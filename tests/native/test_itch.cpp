// The ITCH decoder in memory of exactly the size of its input, so that sanitizers see any byte read beyond it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/native/feed/itch_stream.hpp"
#include "engine/native/flow/random.hpp"
#include "tests/native/checks.hpp"

namespace itch_tests {

using namespace lowlat;
using namespace lowlat::testing;

namespace {

using Bytes = std::vector<std::byte>;

/// A message of the type with every other byte 1: its time is early in the day, and no number is 0.
Bytes ones(const itch::Layout& layout) {
    Bytes message(layout.bytes, std::byte{1});
    message[0] = static_cast<std::byte>(layout.type);
    message[5] = message[6] = std::byte{0};
    if (layout.type == 'A' || layout.type == 'F' || layout.type == 'P') message[itch::at::side] = std::byte{'B'};
    if (layout.type == 'H') message[itch::at::trading_state] = std::byte{'T'};
    if (layout.type == 'R')
        for (std::size_t n = 0; n < 8; ++n) message[itch::at::directory_stock + n] = std::byte{'X'};
    return message;
}

Bytes behind_length(const Bytes& message) {
    Bytes framed{std::byte{0}, static_cast<std::byte>(message.size())};
    framed.insert(framed.end(), message.begin(), message.end());
    return framed;
}

/// A stream that knows the symbol of all messages.
ItchStream stream_of(ItchStream::Framing framing) {
    ItchSymbols symbols({});
    const Bytes name(8, std::byte{'X'});
    symbols.name(0x0101, name.data());
    return {framing, ItchDecoder(std::move(symbols), ItchDecoder::day_ns)};
}

/// Decode a copy of the bytes that ends where they end. Returns the number of events.
std::size_t decode(ItchStream& stream, std::span<const std::byte> bytes) {
    const auto exact = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    std::vector<OrderEvent> events(ItchStream::events_min);
    EventBlock block{events.data(), events.data() + events.size()};
    std::size_t used = 0;
    while (used < bytes.size()) used += stream.decode({exact.get() + used, bytes.size() - used}, block);
    check(used == bytes.size(), "all bytes are used, or kept");
    return static_cast<std::size_t>(block.next - events.data());
}

/// End the stream. Returns the number of events.
std::size_t finish(ItchStream& stream) {
    std::vector<OrderEvent> events(ItchStream::events_min);
    EventBlock block{events.data(), events.data() + events.size()};
    stream.finish(block);
    return static_cast<std::size_t>(block.next - events.data());
}

bool has_event(char type) {
    return std::string_view("AFECXDUPQBH").find(type) != std::string_view::npos;
}

const Register every_type("itch: each type alone, bare and behind its length", [] {
    for (const itch::Layout& layout : itch::layouts) {
        ItchStream bare = stream_of(BareFraming{});
        ItchStream prefixed = stream_of(PrefixedFraming{});
        const std::size_t expected = has_event(layout.type) ? 1 : 0;
        check(decode(bare, ones(layout)) == expected, "an event where the type has one");
        check(decode(prefixed, behind_length(ones(layout))) == expected, "the same behind a length");
        check(!bare.ended() && !prefixed.ended(), "no fault");
    }
});

const Register in_two_pieces("itch: a message in two pieces is one", [] {
    for (const itch::Layout& layout : itch::layouts) {
        const Bytes whole = behind_length(ones(layout));
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            ItchStream stream = stream_of(PrefixedFraming{});
            const std::size_t first = decode(stream, std::span(whole).first(cut));
            check(first + decode(stream, std::span(whole).subspan(cut)) == (has_event(layout.type) ? 1U : 0U), "once");
            check(finish(stream) == 0 && !stream.ended(), "nothing is missing");
        }
    }
});

const Register any_bytes("itch: any bytes are used up, or end the reading with a fault", [] {
    Random random(1);
    for (int round = 0; round < 3'000; ++round) {
        Bytes bytes(random.below(400));
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
        ItchStream::Framing framing = BareFraming{};
        if (round % 3 == 1) framing = PrefixedFraming{};
        if (round % 3 == 2) {
            constexpr std::uint32_t pcap[] = {0xA1B2'C3D4, 0x0004'0002, 0, 0, 0x40000, 1, 0, 0, 100, 100};
            constexpr std::uint32_t pcapng[] = {0x0A0D'0D0A, 28, 0x1A2B'3C4D, 1, 0, 0, 28, 1, 20, 1, 0, 20, 6, 132};
            const bool classic = random.below(2) == 0;
            framing = classic ? ItchStream::Framing(PcapFraming{}) : PcapngFraming{};
            const std::span<const std::uint32_t> words = classic ? std::span<const std::uint32_t>(pcap) : pcapng;
            const std::span<const std::byte> head = std::as_bytes(words);
            bytes.insert(bytes.begin(), head.begin(), head.end());
        } else if (!bytes.empty()) {
            const itch::Layout& layout = itch::layouts[random.below(itch::layouts.size())];
            const Bytes message = round % 3 == 1 ? behind_length(ones(layout)) : ones(layout);
            bytes.insert(bytes.begin(), message.begin(), message.end());
        }
        ItchStream stream = stream_of(framing);
        decode(stream, bytes);
        finish(stream);
        check(stream.ended() == stream.decoder().fault().has_value(), "it ends at a fault");
    }
});

/// A packet with `messages` deletes, the first with this number; the order is that of the packet.
Bytes packet_of(std::uint16_t first, std::uint16_t messages) {
    Bytes packet(MoldSession::header_bytes, std::byte{0});
    packet[16] = static_cast<std::byte>(first >> 8);
    packet[17] = static_cast<std::byte>(first & 255);
    packet[18] = static_cast<std::byte>(messages >> 8);
    packet[19] = static_cast<std::byte>(messages & 255);
    for (std::uint16_t n = 0; n < messages; ++n) {
        Bytes message = behind_length(ones(itch::Layout{'D', itch::lengths['D'], ""}));
        message[2 + itch::at::order_id + 6] = packet[16];
        message[2 + itch::at::order_id + 7] = packet[17];
        packet.insert(packet.end(), message.begin(), message.end());
    }
    return packet;
}

/// A session that is given packets, and what comes of it.
struct Line {
    ItchDecoder decoder{ItchSymbols({}), ItchDecoder::day_ns};
    MoldSession session;
    std::vector<OrderEvent> events;
    std::vector<OrderEvent> room = std::vector<OrderEvent>(2 * MoldSession::events_max);

    void take(const Bytes& packet) {
        check(MoldSession::is_packet(packet), "a packet");
        EventBlock block{room.data(), room.data() + room.size()};
        check(session.take(decoder, {packet, 0}, block), "no fault");
        events.insert(events.end(), room.data(), block.next);
    }

    void finish() {
        for (std::size_t before = events.size() + 1; before != events.size();) {
            before = events.size();
            EventBlock block{room.data(), room.data() + room.size()};
            check(session.finish(decoder, block), "no fault");
            events.insert(events.end(), room.data(), block.next);
        }
    }
};

const Register counts_gaps("itch: a gap ends with an event that says so", [] {
    Line line;
    line.take(packet_of(1, 1));
    line.take(packet_of(3, 1));
    check(line.events.size() == 1, "the second is held");
    line.finish();
    check(line.session.counts().gaps == 1 && line.session.counts().lost == 1, "one message is lost");
    check((line.events[0].flags & event_flag_gap) == 0 && (line.events[1].flags & event_flag_gap) != 0, "it says so");
});

const Register puts_in_order("itch: packets of two lines, out of order, twice and in part, give each message once", [] {
    Random random(1);
    for (int round = 0; round < 30; ++round) {
        std::vector<std::pair<std::uint16_t, std::uint16_t>> sent;
        std::uint16_t next = 1;
        while (sent.size() < 60) {
            const auto messages = static_cast<std::uint16_t>(1 + random.below(40));
            sent.emplace_back(next, messages);
            next = static_cast<std::uint16_t>(next + messages);
        }
        std::vector<std::pair<std::uint16_t, std::uint16_t>> both = sent;
        both.insert(both.end(), sent.begin(), sent.end());
        for (std::size_t n = both.size() - 1; n > 1; --n)
            std::swap(both[n], both[1 + random.below(static_cast<std::uint32_t>(n))]);
        Line line;
        for (const auto& [first, messages] : both) line.take(packet_of(first, messages));
        line.finish();
        check(line.events.size() == next - 1U, "each message once");
        check(std::is_sorted(line.events.begin(), line.events.end(),
                             [](const OrderEvent& a, const OrderEvent& b) { return a.order_id < b.order_id; }),
              "in order");
        check(line.session.counts().gaps == 0 && line.session.counts().repeated == next - 1U, "nothing is lost");
    }
});

const Register skips_in_time("itch: what is missing is skipped once 256 packets wait for it", [] {
    Line line;
    line.take(packet_of(1, 1));
    for (std::uint16_t n = 0; n < 256; ++n) line.take(packet_of(static_cast<std::uint16_t>(3 + n), 1));
    check(line.events.size() == 1 && line.session.counts().gaps == 0, "256 are held");
    line.take(packet_of(259, 1));
    check(line.events.size() == 258 && line.session.counts().lost == 1, "one more ends the wait");
    line.take(packet_of(2, 1));
    check(line.session.counts().repeated == 1 && line.events.size() == 258, "too late");
});

}  // namespace

}  // namespace itch_tests
