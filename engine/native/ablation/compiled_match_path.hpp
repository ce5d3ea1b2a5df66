// A MatchPath of the engine as the including file compiles it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/native/ablation/match_path.hpp"
#include "engine/native/matching/matcher.hpp"
#include "engine/native/matching/sinks.hpp"

namespace lowlat {

class CompiledMatchPath final : public lowlat_match_path::MatchPath {
  public:
    explicit CompiledMatchPath(const lowlat_match_path::Sizes& sizes) : matcher_(config(sizes)) {}

    void reset() override { matcher_.reset(); }

    std::uint64_t execute(std::span<const std::byte> commands, bool extended) override {
        const std::uint64_t before = sink_.count();
        if (extended)
            execute_all<ExtendedCommand>(commands);
        else
            execute_all<Command>(commands);
        return sink_.count() - before;
    }

    std::span<const std::byte> events() const override { return std::as_bytes(std::span(events_)); }

  private:
    static EngineConfig config(const lowlat_match_path::Sizes& sizes) {
        EngineConfig made{.symbols = std::vector<SymbolRules>(sizes.rules.size() / sizeof(SymbolRules)),
                          .orders = sizes.orders,
                          .trades = sizes.trades};
        std::memcpy(made.symbols.data(), sizes.rules.data(), made.symbols.size() * sizeof(SymbolRules));
        return made;
    }

    template <typename Record>
    void execute_all(std::span<const std::byte> commands) {
        matcher_.execute_all(reinterpret_cast<const Record*>(commands.data()), commands.size() / sizeof(Record), sink_);
    }

    Matcher matcher_;
    std::vector<Event> events_ = std::vector<Event>(ring_events);
    RingSink sink_{events_.data(), ring_events - 1};
};

}  // namespace lowlat
