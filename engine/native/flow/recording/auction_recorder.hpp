// Executions of an auction: an engine's uncross, where the displayed orders explain them; else the venue's word.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/native/flow/recording/burst_recorder.hpp"
#include "engine/native/flow/recording/recorded_book.hpp"
#include "engine/native/flow/recording/recorded_market.hpp"
#include "engine/native/matching/records.hpp"

namespace lowlat {

/// An auction that an engine settles: the place of its command in the log, and what bids and asks trade.
struct SettledAuction {
    std::int64_t command;
    std::array<RecordedFills, 2> fills;
};

/// Collects the executions of one auction, and settles it when another event follows.
class AuctionRecorder {
  public:
    explicit AuctionRecorder(RecordedMarket& market) : market_(market) {}

    const std::vector<RecordedExecution>& open() const { return open_; }
    const std::vector<SettledAuction>& log() const { return log_; }

    void add(const RecordedExecution& execution) { open_.push_back(execution); }

    /// The open auction, if there is one, is complete: have an engine uncross, or apply what the venue tells.
    void settle() {
        if (open_.empty()) return;
        const std::vector<RecordedExecution> executions = std::exchange(open_, {});
        const auto told = traded(executions);
        if (market_.engine_phase() != TradingPhase::call || told != market_.book().uncross()) {
            for (const RecordedExecution& execution : executions)
                market_.apply(execution.at, execution.id, execution.quantity, Change::auction);
            return;
        }
        log_.push_back({static_cast<std::int64_t>(market_.log().size()), fills(executions)});
        market_.set_engine_phase(executions.front().at, TradingPhase::continuous);
        for (const auto* const side : {&told.first, &told.second})
            for (const auto& [id, quantity] : *side) market_.book().take(*market_.book().find(id), quantity);
        market_.set_engine_phase(executions.front().at, market_.venue_phase());
    }

  private:
    /// What each order of either side trades.
    std::pair<RecordedBook::Traded, RecordedBook::Traded> traded(
        const std::vector<RecordedExecution>& executions) const {
        std::pair<RecordedBook::Traded, RecordedBook::Traded> told;
        for (const RecordedExecution& execution : executions) {
            if (execution.quantity == 0) continue;
            const RestingOrder* const order = market_.book().find(execution.id);
            auto& side = order != nullptr && order->side == recorded_sell ? told.second : told.first;
            side[execution.id] = plus_or_most(side[execution.id], execution.quantity);
        }
        return told;
    }

    std::array<RecordedFills, 2> fills(const std::vector<RecordedExecution>& executions) const {
        std::array<RecordedFills, 2> sides;
        for (const RecordedExecution& execution : executions)
            if (const RestingOrder* const order = market_.book().find(execution.id))
                sides[order->side].push_back({execution.id, execution.price, execution.quantity});
        return sides;
    }

    RecordedMarket& market_;
    std::vector<RecordedExecution> open_;
    std::vector<SettledAuction> log_;
};

}  // namespace lowlat
