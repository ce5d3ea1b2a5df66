// Python bindings of the pipeline: one object, and one call for the whole life of each thread.
#include "engine/native/bench/pipeline.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/native/bench/measured_call.hpp"
#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/bindings/py_mapped_book.hpp"
#include "engine/native/bindings/register.hpp"
#include "engine/native/matching/event_hash.hpp"
#include "engine/native/matching/exclusive_use.hpp"

namespace nb = nanobind;

namespace lowlat {
namespace {

/// A pipeline that holds references to everything it uses.
class HeldPipeline {
  public:
    HeldPipeline(OwnedMatcher& matcher, nb::handle commands, nb::handle planned, std::uint32_t producers,
                 const std::vector<MappedBookWriter*>& books, std::uint64_t multiplier, unsigned shift,
                 Latencies& latencies)
        : matcher_(matcher),
          commands_(commands),
          planned_(planned),
          pipeline_(matcher, {commands_.data(), commands_.size()}, {planned_.data(), planned_.size()}, producers,
                    writers(matcher, books), TickScale{multiplier, shift}, latencies) {
        if (planned_.size() != 0 && planned_.size() != commands_.size())
            throw nb::buffer_error("as many intended start times as commands are needed, or none");
    }

    void produce(nb::handle numbers, int wait) {
        const PyBuffer<const std::uint32_t> mine(numbers);
        for (std::uint64_t at = 0; at < mine.size(); ++at)
            if (mine.data()[at] >= commands_.size()) throw nb::index_error("there is no command of this number");
        const nb::gil_scoped_release released;
        pipeline_.produce({mine.data(), mine.size()}, static_cast<WaitStrategy>(wait));
    }

    void publish(int wait) {
        const nb::gil_scoped_release released;
        pipeline_.publish(static_cast<WaitStrategy>(wait));
    }

    Pass match(int wait) {
        const ExclusiveUse claim(matcher_);
        Pass pass = measured_call(commands_.size(), [&] {
            pipeline_.match(static_cast<WaitStrategy>(wait));
            return pipeline_.fed().events;
        });
        pass.tail = pipeline_.tail();
        return pass;
    }

    Pipeline& pipeline() { return pipeline_; }

  private:
    static std::vector<BookWriter*> writers(const Matcher& matcher, const std::vector<MappedBookWriter*>& books) {
        if (books.size() != matcher.symbols()) throw nb::buffer_error("one book for each symbol is needed");
        std::vector<BookWriter*> found;
        found.reserve(books.size());
        for (MappedBookWriter* book : books) found.push_back(&book->book());
        return found;
    }

    OwnedMatcher& matcher_;
    PyBuffer<const Command> commands_;
    PyBuffer<const std::uint64_t> planned_;
    Pipeline pipeline_;
};

void add_events(EventHash& hash, nb::handle events) {
    const PyBuffer<const std::byte> in(events);
    for (std::uint64_t at = 0; at + sizeof(Event) <= in.size(); at += sizeof(Event)) hash.add(in.data() + at);
}

}  // namespace

void register_pipeline(const nb::module_& m) {
    nb::class_<HeldPipeline>(m, "Pipeline")
        .def(nb::init<OwnedMatcher&, nb::handle, nb::handle, std::uint32_t, const std::vector<MappedBookWriter*>&,
                      std::uint64_t, unsigned, Latencies&>(),
             nb::keep_alive<1, 2>(), nb::keep_alive<1, 6>(), nb::keep_alive<1, 9>(), nb::arg("matcher"),
             nb::arg("commands"), nb::arg("planned"), nb::arg("producers"), nb::arg("books"), nb::arg("multiplier"),
             nb::arg("shift"), nb::arg("latencies"))
        .def("produce", &HeldPipeline::produce, nb::arg("numbers"), nb::arg("wait"))
        .def("match", &HeldPipeline::match, nb::arg("wait"))
        .def("publish", &HeldPipeline::publish, nb::arg("wait"))
        .def("abandon", [](HeldPipeline& self) { self.pipeline().abandon(); })
        .def_prop_ro("sent", [](HeldPipeline& self) { return self.pipeline().sent(); })
        .def_prop_ro("acked", [](HeldPipeline& self) { return self.pipeline().publisher().acked(); })
        .def_prop_ro("rejected", [](HeldPipeline& self) { return self.pipeline().publisher().rejected(); })
        .def_prop_ro("backwards", [](HeldPipeline& self) { return self.pipeline().publisher().backwards(); })
        .def_prop_ro("ticks", [](HeldPipeline& self) { return self.pipeline().ticks(); })
        .def_prop_ro("updates", [](HeldPipeline& self) { return self.pipeline().fed().updates; })
        .def_prop_ro("event_hash", [](HeldPipeline& self) { return self.pipeline().fed().hash; })
        .def_prop_ro("order_of_matching",
                     [](HeldPipeline& self) {
                         const auto numbers = self.pipeline().order_of_matching();
                         return nb::bytes(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
                     })
        .def_prop_ro("memory", [](HeldPipeline& self) {
            std::vector<std::tuple<std::string, std::uintptr_t, std::size_t, bool, int>> parts;
            self.pipeline().for_each_region([&](const char* part, const LockedRegion& region) {
                parts.emplace_back(part, reinterpret_cast<std::uintptr_t>(region.start()), region.touched(),
                                   region.huge_asked(), region.lock_error());
            });
            return parts;
        });
    nb::class_<EventHash>(m, "EventHash")
        .def(nb::init<>())
        .def("add", &add_events, nb::arg("events"))
        .def_prop_ro("value", &EventHash::value);
}

}  // namespace lowlat
