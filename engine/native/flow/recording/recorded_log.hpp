// What a walk over a recording leaves behind: commands, and what was changed to make them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/native/matching/records.hpp"

namespace lowlat {

/// Rank of a command among those of its event; `engine/flow/recording/command_log.py` says more.
enum class Rank : std::uint8_t {
    clear = 0,   // what makes room for all else of its event: ghosts that it crosses, and the phase it needs
    before = 1,  // orders that enter before an event, by id
    at = 2,      // an event's own commands, and those after it
};

/// `Origin` of engine/flow/recording/model.py.
enum class Origin : std::uint8_t { recorded = 0, seeded = 1, placed = 2, restored = 3, removed = 4, applied = 5 };

/// A command with its event and rank (`key`) and its origin: `_LOGGED` of engine/flow/recording/command_log.py.
struct LoggedCommand {
    std::uint64_t order_id = 0;
    std::int64_t price = 0;
    std::uint64_t key = 0;
    std::uint32_t quantity = 0;
    CommandType kind = CommandType::limit;
    std::uint8_t side = 0;
    TimeInForce force = TimeInForce::gtc;
    Origin origin = Origin::recorded;
};
static_assert(sizeof(LoggedCommand) == 32);

/// The commands of one symbol as they are collected, in parts, so that a long recording's are never moved.
class RecordedCommands {
  public:
    static constexpr std::size_t part_commands = 1 << 15;

    std::uint64_t size() const { return size_; }

    /// Whether no part of it was taken.
    bool is_whole() const { return whole_; }

    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters)
    void add(std::int64_t event, Rank rank, LoggedCommand command) {
        command.key = static_cast<std::uint64_t>(event) << 2 | static_cast<std::uint64_t>(rank);
        if (size_++ % part_commands == 0) parts_.emplace_back();
        parts_.back().push_back(command);
    }

    const LoggedCommand& operator[](std::uint64_t place) const {
        return parts_[place / part_commands][place % part_commands];
    }

    bool has_part(std::uint64_t number) const { return number < parts_.size() && !parts_[number].empty(); }

    /// Copy a part, which was not taken before, and free it; returns how many commands it has.
    std::uint64_t take_part(std::uint64_t number, LoggedCommand* out) {
        const std::vector<LoggedCommand> part = std::exchange(parts_[number], {});
        std::copy(part.begin(), part.end(), out);
        whole_ = false;
        return part.size();
    }

  private:
    std::vector<std::vector<LoggedCommand>> parts_;
    std::uint64_t size_ = 0;
    bool whole_ = true;
};

/// What was done to a recording, counted: as `_COUNTED` of engine/flow/recording/walk.py lists it.
enum class Change : std::uint8_t {
    unknown_order,
    hidden,
    cross,
    bust,
    no_order,
    unknown_action,
    unknown_phase,  // rows left out
    refilled,
    reserve,
    passed,  // explained
    duplicate,
    differs,
    more_than_shown,
    locked,  // believed
    crossed,
    ahead,
    not_shown,  // ghosts
    auction,
    elsewhere,
    held,  // not checked
    moved_up,
    departures,
};
inline constexpr std::size_t changes_count = static_cast<std::size_t>(Change::departures) + 1;

/// `orders`: the most that rested at one time.
struct RecordedChanges {
    std::array<std::uint64_t, changes_count> counts{};
    std::uint64_t orders = 0;

    void count(Change change) { ++counts[static_cast<std::size_t>(change)]; }
};

}  // namespace lowlat
