// How many trades went through a sink, counted when somebody asks: not while an engine is timed.
#pragma once

#include <cstdint>

#include "engine/native/matching/records.hpp"

namespace lowlat {

class TradeCount {
  public:
    /// Of the events that the sink has not lost since the last call.
    template <typename Sink>
    std::uint64_t in(const Sink& sink) {
        sink.for_each_since(counted_, [this](const Event& event) { trades_ += event.kind == ExecType::trade ? 1 : 0; });
        counted_ = sink.count();
        return trades_;
    }

  private:
    std::uint64_t counted_ = 0;
    std::uint64_t trades_ = 0;
};

}  // namespace lowlat
