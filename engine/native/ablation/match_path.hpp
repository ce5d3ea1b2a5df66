// The engine's path of a command in two translation units: one compiled with the hints of compiler.hpp, one without
// those for branches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

// Not in namespace lowlat, which without_hints.cpp gives another name.
namespace lowlat_match_path {

/// Of an engine whose pools are large enough. `rules`: the bytes of an array of SymbolRules.
struct Sizes {
    std::span<const std::byte> rules;
    std::uint32_t orders;
    std::uint64_t trades;
};

/// An engine, without its types.
class MatchPath {
  public:
    MatchPath() = default;
    MatchPath(const MatchPath&) = delete;
    MatchPath& operator=(const MatchPath&) = delete;
    virtual ~MatchPath() = default;

    virtual void reset() = 0;
    /// Execute a batch of Command, or of ExtendedCommand, by their bytes. Returns the number of events.
    virtual std::uint64_t execute(std::span<const std::byte> commands, bool extended) = 0;
    /// The bytes of the latest events, in a ring.
    virtual std::span<const std::byte> events() const = 0;
};

std::unique_ptr<MatchPath> with_hints(const Sizes& sizes);
std::unique_ptr<MatchPath> without_hints(const Sizes& sizes);

}  // namespace lowlat_match_path
