// Reads a stream of bytes, piece by piece, as ITCH messages. Memory is bounded by the longest frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/native/feed/captured_packets.hpp"
#include "engine/native/feed/itch_decoder.hpp"
#include "engine/native/feed/itch_framing.hpp"
#include "engine/native/feed/pcap.hpp"
#include "engine/native/feed/pcapng.hpp"

namespace lowlat {

class ItchStream {
  public:
    using Framing = std::variant<BareFraming, PrefixedFraming, PcapFraming, PcapngFraming>;

    ItchStream(Framing framing, ItchDecoder decoder) : framing_(std::move(framing)), decoder_(std::move(decoder)) {}

    /// The least room that a block needs.
    static constexpr std::size_t events_min = CapturedPackets::events_max;

    /// Decode from the start of `bytes` until the block is full or the bytes are used up. Returns how many are. A frame
    /// that they end in is kept for the next call.
    std::size_t decode(std::span<const std::byte> bytes, EventBlock& out) {
        if (ended_) return bytes.size();
        return std::visit([&](auto& framing) { return walk(framing, bytes, out); }, framing_);
    }

    /// The bytes are at their end: decode what waited for more. Call it until the block stays empty. A frame that is
    /// kept is one too few.
    void finish(EventBlock& out) {
        if (ended_) return;
        const OrderEvent* begin = out.next;
        if (CapturedPackets* packets = captured()) ended_ = !packets->finish(decoder_, out);
        if (ended_ || kept_.empty() || out.next != begin) return;
        ended_ = true;
        decoder_.end_at(offset_, "length",
                        "the file ends after " + std::to_string(kept_.size()) + " of the " + std::to_string(needed_) +
                            " bytes that are needed: it was cut; fetch it again");
    }

    /// Nothing is read any more: at a fault, or at the time at which reading was to end.
    bool ended() const noexcept { return ended_; }
    const ItchDecoder& decoder() const noexcept { return decoder_; }
    /// The packets of a capture; none of another file.
    CapturedPackets* captured() noexcept {
        if (auto* pcap = std::get_if<PcapFraming>(&framing_)) return &pcap->packets();
        if (auto* pcapng = std::get_if<PcapngFraming>(&framing_)) return &pcapng->packets();
        return nullptr;
    }

  private:
    template <typename Frames>
    std::size_t walk(Frames& framing, std::span<const std::byte> bytes, EventBlock& out) {
        std::size_t used = complete(framing, bytes, out);
        while (!ended_ && out.room() >= Frames::events_max) {
            const std::size_t left = bytes.size() - used;
            const std::byte* at = bytes.data() + used;
            const std::size_t frame = framing.frame_bytes(at, left);
            if (frame > left) {
                if (left != 0) keep({at, left}, frame);
                return bytes.size();
            }
            ended_ = !framing.decode(decoder_, {{at, frame}, offset_}, out);
            offset_ += frame;
            used += frame;
        }
        return used;
    }

    /// Complete and decode the frame that is kept. Returns how many bytes that took.
    template <typename Frames>
    std::size_t complete(Frames& framing, std::span<const std::byte> bytes, EventBlock& out) {
        std::size_t used = 0;
        while (!kept_.empty()) {
            needed_ = framing.frame_bytes(kept_.data(), kept_.size());
            if (needed_ <= kept_.size()) {
                ended_ = !framing.decode(decoder_, {kept_, offset_}, out);
                offset_ += needed_;
                kept_.clear();
            } else {
                const std::size_t more = std::min(needed_ - kept_.size(), bytes.size() - used);
                if (more == 0) break;
                keep(bytes.subspan(used, more), needed_);
                used += more;
            }
        }
        return used;
    }

    void keep(std::span<const std::byte> bytes, std::size_t needed) {
        kept_.insert(kept_.end(), bytes.begin(), bytes.end());
        needed_ = needed;
    }

    Framing framing_;
    ItchDecoder decoder_;
    std::vector<std::byte> kept_;
    std::size_t needed_ = 0;
    std::uint64_t offset_ = 0;  // of the next frame, or of the kept one
    bool ended_ = false;
};

}  // namespace lowlat
