// A batch in memory that others may write to at any time. Each command is copied before it is looked at, so that what
// was checked is what is executed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/native/matching/matcher.hpp"
#include "engine/native/platform/compiler.hpp"

namespace lowlat {

template <typename Record>
class CopiedBatch {
  public:
    CopiedBatch(Matcher& matcher, const Record* commands, std::uint64_t count)
        : matcher_(matcher), commands_(commands), count_(count) {
        matcher_.begin_batch();
        const std::uint64_t lead = std::min(count_, Matcher::fetch_slot);
        for (std::uint64_t at = 0; at < lead; ++at) look_ahead(at);
    }
    CopiedBatch(const CopiedBatch&) = delete;
    CopiedBatch& operator=(const CopiedBatch&) = delete;

    std::uint64_t executed() const { return at_; }
    std::uint64_t left() const { return count_ - at_; }

    /// Execute the next commands, at most `most`, as Matcher::execute_all does.
    template <typename Sink>
    void execute(std::uint64_t most, Sink& sink) {
        const std::uint64_t end = at_ + std::min(most, left());
        for (; at_ != end; ++at_) {
            const Record command = copies_[at_ % Matcher::fetch_slot];
            if (likely(at_ + Matcher::fetch_slot < count_)) {
                matcher_.template fetch_ahead<Record>(ahead_, at_);
                look_ahead(at_ + Matcher::fetch_slot);
            }
            matcher_.execute(command, sink);
        }
    }

  private:
    LOWLAT_INLINE void look_ahead(std::uint64_t at) {
        Record& copy = copies_[at % Matcher::fetch_slot];
        copy = commands_[at];
        asm volatile("" : "+m"(copy));  // the compiler must not read the caller's memory again
        ahead_[at % Matcher::fetch_slot] = matcher_.look_ahead(copy);
    }

    Matcher& matcher_;
    const Record* commands_;
    std::uint64_t count_;
    std::uint64_t at_ = 0;
    Record copies_[Matcher::fetch_slot];
    Matcher::Ahead ahead_[Matcher::fetch_slot];
};

}  // namespace lowlat
