// An engine of a library, by whichever way it gives its events.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/native/foreign/buffer_engine.hpp"
#include "engine/native/foreign/call_watch.hpp"
#include "engine/native/foreign/callback_engine.hpp"
#include "engine/native/foreign/library.hpp"
#include "engine/native/matching/growing_sink.hpp"

namespace lowlat {

class ForeignEngine {
  public:
    /// Throws ContractError if the library makes none. The library outlives this.
    ForeignEngine(const EngineLibrary& library, std::vector<lowlat_symbol_rules> rules, std::uint32_t orders,
                  std::size_t command_size)
        : library_(library), rules_(std::move(rules)), command_size_(command_size) {
        const lowlat_engine_settings settings{.size = sizeof(lowlat_engine_settings),
                                              .command_size = command_size,
                                              .rules = rules_.data(),
                                              .symbols = static_cast<std::uint32_t>(rules_.size()),
                                              .orders = orders};
        const ForeignCall call("create");
        engine_ = create(settings);
        if (engine_ == nullptr) {
            throw ContractError("made no engine for " + std::to_string(settings.symbols) + " symbols and " +
                                std::to_string(orders) + " orders: create returned NULL");
        }
    }
    ForeignEngine(const ForeignEngine&) = delete;
    ForeignEngine& operator=(const ForeignEngine&) = delete;
    ~ForeignEngine() {
        const ForeignCall call("destroy");
        library_.interface().destroy(engine_);
    }

    std::size_t command_size() const { return command_size_; }

    void reset() noexcept {
        const ForeignCall call("reset");
        library_.interface().reset(engine_);
        executed_ = 0;
    }

    /// Calls `use` with the engine as the measured loops take it, watched, for so many commands.
    template <typename Use>
    auto visit(std::uint64_t commands, Use use) {
        const std::uint64_t most = events_most(commands);
        if (library_.calls_back()) {
            CallbackEngine engine(library_, engine_);
            const ForeignCall call(CallbackEngine::function, engine.sink().progress(), most);
            return use(engine);
        }
        BufferEngine engine(library_, engine_);
        const ForeignCall call(BufferEngine::function, engine.sink().progress(), most);
        return use(engine);
    }

    /// Executes all, and keeps every event. Throws ContractError; ends the process if the events have no end.
    template <typename Record>
    void process(const Record* commands, std::uint64_t count, GrowingSink& sink) {
        Kept kept{.sink = sink, .room = events_most(count)};
        if (library_.calls_back()) {
            const ForeignCall call(CallbackEngine::function, &kept.count, kept.room);
            execute(commands, count, kept);
            return;
        }
        BufferEngine engine(library_, engine_);
        const ForeignCall call(BufferEngine::function, engine.sink().progress(), kept.room);
        std::uint64_t seen = 0;
        engine.execute_all(commands, count, engine.sink(), [&] {
            engine.sink().for_each_since(seen, [&](const Event& event) { kept.add(event); });
            seen = engine.sink().count();
        });
    }

  private:
    /// Far more events than any engine has for so many commands more.
    std::uint64_t events_most(std::uint64_t commands) {
        // A few commands can have as many: all that share a pro-rata level trade with each that comes in, and an
        // iceberg has two events for each of its slices.
        constexpr std::uint64_t of_few = std::uint64_t{1} << 21;
        executed_ += commands;
        return std::max(of_few, 64 * executed_);
    }

    /// The events of a batch, `room` at most.
    struct Kept {
        GrowingSink& sink;
        std::uint64_t room;
        std::uint64_t count = 0;

        void add(const Event& event) noexcept {  // out of memory: the process ends, and CallWatch says where
            if (unlikely(count++ == room)) CallWatch::give_up("emits events without end");
            sink.next() = event;
        }
    };

    static void keep(void* to, const lowlat_event* event) noexcept {
        alignas(Event) Event copy;
        std::memcpy(static_cast<void*>(&copy), event, sizeof(copy));
        static_cast<Kept*>(to)->add(copy);
    }

    // An exception that leaves the library ends the process here, and CallWatch says so.
    void* create(const lowlat_engine_settings& settings) const noexcept {
        return library_.interface().create(&settings);
    }
    void execute(const void* commands, std::uint64_t count, Kept& kept) noexcept {
        library_.interface().execute(engine_, commands, count, &keep, &kept);
    }

    const EngineLibrary& library_;
    std::vector<lowlat_symbol_rules> rules_;
    std::size_t command_size_;
    void* engine_ = nullptr;
    std::uint64_t executed_ = 0;  // since it was empty: its resting orders can all trade now
};

}  // namespace lowlat
