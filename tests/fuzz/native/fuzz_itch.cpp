// Reads ITCH messages made of the input, in one of the four framings: in one piece, and again cut in two at some
// bytes. All give the same events and end at the same fault; a message is an event, left out and counted, or the fault.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/native/feed/itch_stream.hpp"
#include "tests/fuzz/native/fuzzer.hpp"

namespace lowlat::fuzz {
namespace {

/// To prove that it is found: the byte behind a cut is not read, or an event is not given.
enum class Fault { none, byte_lost, event_lost };
Fault planted = Fault::none;

using Bytes = std::vector<std::byte>;

/// The input, byte by byte; zeros behind its end.
class Input {
  public:
    Input(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), left_(size) {}

    bool empty() const { return left_ == 0; }

    std::uint8_t next() {
        if (left_ == 0) return 0;
        --left_;
        return *bytes_++;
    }

  private:
    const std::uint8_t* bytes_;
    std::size_t left_;
};

/// A message of any type; most are such that they can be, of one of four symbols.
Bytes message_of(Input& input) {
    const std::uint8_t how = input.next();
    const itch::Layout& layout = itch::layouts[how % itch::layouts.size()];
    Bytes message(layout.bytes);
    for (std::byte& byte : message) byte = std::byte{input.next()};
    message[0] = static_cast<std::byte>(layout.type);
    if (how >= 250) return message;
    message[1] = std::byte{0};
    message[2] &= std::byte{3};
    message[5] = message[6] = std::byte{0};
    const auto set = [&](std::size_t at, std::string_view of) {
        message[at] = static_cast<std::byte>(of[static_cast<std::size_t>(message[at]) % of.size()]);
    };
    const char type = layout.type;
    if (type == 'A' || type == 'F' || type == 'P') set(itch::at::side, "BS");
    if (type == 'H') set(itch::at::trading_state, "HPQT");
    if (type == 'h') set(itch::at::halt_action, "HT");
    const std::size_t stock = type == 'R' || type == 'H' || type == 'h' ? itch::at::directory_stock
                              : type == 'Q'                             ? itch::at::cross_stock
                                                                        : itch::at::stock;
    if (type == 'R' || type == 'H' || type == 'h' || type == 'Q' || type == 'A' || type == 'F' || type == 'P') {
        std::fill_n(message.begin() + static_cast<std::ptrdiff_t>(stock), 8, std::byte{' '});
        message[stock] = std::byte{'A'} | message[2];
    }
    return message;
}

void append(Bytes& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_number(Bytes& to, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(number >> shift));
}

void append_prefixed(Bytes& to, std::span<const std::byte> message) {
    append_number(to, message.size(), 2);
    append(to, message);
}

/// A packet behind what a capture says of it; in pcapng, a block of it.
void append_packet(Bytes& file, std::span<const std::byte> packet, bool classic) {
    const std::size_t padded = (packet.size() + 3) / 4 * 4;
    if (!classic) {
        append_number(file, 6, 4);
        append_number(file, 32 + padded, 4);
        append_number(file, 0, 4);
    }
    append_number(file, 0, 8);
    append_number(file, packet.size(), 4);
    append_number(file, packet.size(), 4);
    append(file, packet);
    if (classic) return;
    append(file, Bytes(padded - packet.size()));
    append_number(file, 32 + padded, 4);
}

/// A MoldUDP64 packet in UDP over IP.
Bytes datagram_of(std::span<const std::byte> mold) {
    Bytes packet;
    append_number(packet, 0x4500, 2);
    append_number(packet, 28 + mold.size(), 2);
    append_number(packet, 0, 4);
    append_number(packet, 0x4011, 2);
    append(packet, Bytes(14));
    append_number(packet, 8 + mold.size(), 2);
    append_number(packet, 0, 2);
    append(packet, mold);
    return packet;
}

void append_numbers(Bytes& to, std::initializer_list<unsigned> numbers) {
    for (const unsigned number : numbers) append_number(to, number, 4);
}

/// A capture of raw IP, with packets that may come twice, early or never.
Bytes capture_of(Input& input, bool classic) {
    Bytes file;
    if (classic)
        append_numbers(file, {0xA1B2'C3D4, 0x0002'0004, 0, 0, 0x4'0000, 101});
    else
        append_numbers(file, {0x0A0D'0D0A, 28, 0x1A2B'3C4D, 0x1'0000, 0, 0, 28, 1, 20, 101 << 16, 0, 20});
    for (std::uint64_t first = 1; !input.empty();) {
        const std::uint8_t how = input.next();
        const unsigned messages = how % 5;
        Bytes mold(10);
        append_number(mold, how >= 240 ? first + how % 16 - 7 : first, 8);
        append_number(mold, messages, 2);
        for (unsigned n = 0; n < messages; ++n) append_prefixed(mold, message_of(input));
        first += messages;
        append_packet(file, datagram_of(mold), classic);
    }
    return file;
}

/// What came of a stream.
struct Outcome {
    Bytes events;
    std::size_t count = 0;
    std::uint64_t rows = 0;
    std::uint64_t without_event = 0;
    bool failed = false;
    std::uint64_t failed_at = 0;

    bool operator==(const Outcome&) const = default;
};

class Reading {
  public:
    explicit Reading(const ItchStream::Framing& framing)
        : stream_(framing, ItchDecoder(ItchSymbols({}), ItchDecoder::day_ns)) {}

    /// Decode a copy of the bytes that ends where they end.
    void read(std::span<const std::byte> bytes) {
        const auto exact = std::make_unique<std::byte[]>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), exact.get());
        std::size_t used = 0;
        while (used < bytes.size()) {
            EventBlock block = fresh();
            used += stream_.decode({exact.get() + used, bytes.size() - used}, block);
            take(block);
        }
    }

    Outcome finish() {
        for (;;) {
            EventBlock block = fresh();
            stream_.finish(block);
            if (block.next == room().data()) break;
            take(block);
        }
        const ItchDecoder& decoder = stream_.decoder();
        const ItchCounts& counts = decoder.counts();
        outcome_.rows = decoder.rows();
        outcome_.failed = decoder.fault().has_value();
        if (outcome_.failed) outcome_.failed_at = decoder.fault()->offset;
        outcome_.without_event = counts.empty_crosses + counts.other_halts;
        for (const char type : std::string_view("SRYLVWKJINO"))
            outcome_.without_event += counts.messages[static_cast<unsigned char>(type)];
        return outcome_;
    }

  private:
    static std::vector<OrderEvent>& room() {
        static std::vector<OrderEvent> events(ItchStream::events_min);
        return events;
    }

    static EventBlock fresh() { return {room().data(), room().data() + room().size()}; }

    void take(const EventBlock& block) {
        const std::size_t symbols = stream_.decoder().symbols().names().size();
        for (const OrderEvent* event = room().data(); event != block.next; ++event) {
            if (event->symbol >= symbols) end("an event is of no symbol");
            if (event->action < OrderAction::add || event->action > OrderAction::bust) end("an event says nothing");
            if (planted == Fault::event_lost && event->action == OrderAction::replace) continue;
            append(outcome_.events, std::as_bytes(std::span(event, 1)));
            ++outcome_.count;
        }
    }

    ItchStream stream_;
    Outcome outcome_;
};

/// What is not an event, left out, or a message at which reading ended is lost.
void account(const Outcome& outcome) {
    const std::uint64_t told = outcome.count + outcome.without_event;
    if (told != outcome.rows && !(outcome.failed && told + 1 == outcome.rows))
        end("a message is neither an event nor left out");
}

}  // namespace

bool plant(const char* name) {
    if (std::strcmp(name, "byte-lost") == 0) planted = Fault::byte_lost;
    if (std::strcmp(name, "event-lost") == 0) planted = Fault::event_lost;
    return planted != Fault::none;
}

void run(const std::uint8_t* bytes, std::size_t size) {
    Input input(bytes, std::min<std::size_t>(size, 300));  // it is read for many cuts
    const std::uint8_t kind = input.next() % 4;
    Bytes file;
    if (kind >= 2) file = capture_of(input, kind == 2);
    while (kind == 0 && !input.empty()) append(file, message_of(input));
    while (kind == 1 && !input.empty()) append_prefixed(file, message_of(input));
    ItchStream::Framing framing = BareFraming{};
    if (kind == 1) framing = PrefixedFraming{};
    if (kind == 2) framing = PcapFraming{};
    if (kind == 3) framing = PcapngFraming{};
    Reading whole(framing);
    whole.read(file);
    const Outcome expected = whole.finish();
    account(expected);
    for (std::size_t cut = 0; cut <= file.size(); cut += 1 + file.size() / 8) {
        Reading pieces(framing);
        pieces.read(std::span(file).first(cut));
        pieces.read(std::span(file).subspan(std::min(file.size(), cut + (planted == Fault::byte_lost ? 1 : 0))));
        if (pieces.finish() != expected) end("pieces give other events than the whole");
    }
}

}  // namespace lowlat::fuzz
