// The ITCH decoder in memory of exactly the size of its input, so that sanitizers see any byte read beyond it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/native/feed/itch_stream.hpp"
#include "engine/native/flow/random.hpp"
#include "tests/native/checks.hpp"

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
            stream.finish();
            check(!stream.ended(), "nothing is missing");
        }
    }
});

const Register any_bytes("itch: any bytes are used up, or end the reading with a fault", [] {
    Random random(1);
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes(random.below(400));
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
        ItchStream::Framing framing = BareFraming{};
        if (round % 3 == 1) framing = PrefixedFraming{};
        if (round % 3 == 2) {
            framing = PcapFraming{};
            constexpr std::uint32_t head[] = {0xA1B2'C3D4, 0x0004'0002, 0, 0, 0x40000, 1, 0, 0, 100, 100};
            const auto* begin = reinterpret_cast<const std::byte*>(head);
            bytes.insert(bytes.begin(), begin, begin + sizeof head);
        } else if (!bytes.empty()) {
            const itch::Layout& layout = itch::layouts[random.below(itch::layouts.size())];
            const Bytes message = round % 3 == 1 ? behind_length(ones(layout)) : ones(layout);
            bytes.insert(bytes.begin(), message.begin(), message.end());
        }
        ItchStream stream = stream_of(framing);
        decode(stream, bytes);
        stream.finish();
        check(stream.ended() == stream.decoder().fault().has_value(), "it ends at a fault");
    }
});

const Register counts_gaps("itch: a gap ends with an event that says so", [] {
    ItchDecoder decoder(ItchSymbols({}), ItchDecoder::day_ns);
    MoldSession session;
    std::vector<OrderEvent> events(4);
    EventBlock block{events.data(), events.data() + events.size()};
    for (const unsigned number : {1U, 3U}) {
        Bytes packet(MoldSession::header_bytes, std::byte{0});
        packet[17] = static_cast<std::byte>(number);
        packet[19] = std::byte{1};
        const Bytes message = behind_length(ones(itch::Layout{'D', itch::lengths['D'], ""}));
        packet.insert(packet.end(), message.begin(), message.end());
        check(MoldSession::is_packet(packet), "a packet");
        check(session.decode(decoder, {packet, 0}, block), "no fault");
    }
    check(session.counts().gaps == 1 && session.counts().lost == 1, "one message is lost");
    check((events[0].flags & event_flag_gap) == 0 && (events[1].flags & event_flag_gap) != 0, "the second says so");
});

}  // namespace
