// simple_book.cpp as a process behind rings: an example to learn from, and what lowlat's tests measure and verify.
//
//     c++ -std=c++20 -O2 -I engine/native/foreign tests/foreign/ring_book.cpp -o ring_book
//     lowlat bench --engine 'ring:./ring_book' -p steady
//
// It knows of the rings what docs/reference/shared-memory.md says, and of the messages what
// docs/reference/engine-protocol.md says. An argument spoils one thing.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include "simple_book.cpp"

namespace {

constexpr std::uint64_t fatal_command = 5;
std::string fault;

bool is_due(const char* name, std::uint64_t sequence) {
    return sequence == fatal_command && fault == name;
}

/// One end of a ring with one producer.
class Ring {
  public:
    explicit Ring(const std::string& path) {
        file_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
        struct stat found{};
        if (file_ < 0 || fstat(file_, &found) != 0) throw std::runtime_error("there is no ring " + path);
        bytes_ = static_cast<std::size_t>(found.st_size);
        void* const mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
        if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + path);
        start_ = static_cast<unsigned char*>(mapped);
        std::memcpy(&record_bytes_, start_ + 16, sizeof(record_bytes_));
        std::memcpy(&capacity_, start_ + 24, sizeof(capacity_));
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        munmap(start_, bytes_);
        close(file_);
    }

    /// The next record, which stays until it is released; null if there is none yet.
    const void* peek() const {
        const std::uint64_t head = word(384).load(std::memory_order_relaxed);
        return word(128).load(std::memory_order_acquire) == head ? nullptr : slot(head);
    }
    /// What an engine must not do. It leaves three records that nobody pushed: an empty ring could go on as if nothing
    /// had happened.
    void scribble() const {
        std::memset(start_, 0xAA, bytes_);
        word(128).fetch_add(3, std::memory_order_release);
    }
    void truncate() const {
        if (ftruncate(file_, 0) != 0) throw std::runtime_error("cannot truncate a ring");
    }
    void release() const { word(384).fetch_add(1, std::memory_order_release); }
    bool is_closed() const {
        return reinterpret_cast<std::atomic<std::uint32_t>*>(start_ + 48)->load(std::memory_order_acquire) != 0;
    }

    void push(const void* record) const {
        const std::uint64_t tail = word(128).load(std::memory_order_relaxed);
        while (tail - word(384).load(std::memory_order_acquire) == capacity_) sched_yield();
        std::memcpy(slot(tail), record, record_bytes_);
        word(128).store(tail + 1, std::memory_order_release);
    }

  private:
    std::atomic<std::uint64_t>& word(std::size_t offset) const {
        return *reinterpret_cast<std::atomic<std::uint64_t>*>(start_ + offset);
    }
    unsigned char* slot(std::uint64_t index) const { return start_ + 2048 + (index & (capacity_ - 1)) * record_bytes_; }

    int file_;
    unsigned char* start_;
    std::size_t bytes_;
    std::uint64_t record_bytes_ = 0;
    std::uint64_t capacity_ = 0;
};

/// The events of a command: each is pushed when the next one comes, so that the last is known.
class Answer {
  public:
    explicit Answer(Ring& ring) : ring_(ring) {}

    static void take(void* to, const lowlat_event* event) {
        auto& self = *static_cast<Answer*>(to);
        if (self.held_) self.ring_.push(&self.event_);
        self.event_ = *event;
        self.held_ = true;
    }
    void end(std::uint64_t sequence) {
        event_.zero = is_due("never_marks", sequence) ? 0 : 1;
        if (is_due("other_quantity", sequence)) event_.quantity += 1;
        if (is_due("swaps", sequence)) event_.sequence += 1;
        ring_.push(&event_);
        if (is_due("answers_twice", sequence)) ring_.push(&event_);
        while (is_due("never_ends", sequence)) {
            event_.zero = 0;
            ring_.push(&event_);
        }
        held_ = false;
    }

  private:
    Ring& ring_;
    lowlat_event event_{};
    bool held_ = false;
};

/// Executes until the ring of commands is closed and empty.
void serve(Ring& commands, Ring& events, std::size_t orders, std::size_t command_size) {
    const lowlat_symbol_rules plain{.tick = 1,
                                    .lot = 1,
                                    .price_min = std::numeric_limits<Price>::min(),
                                    .price_max = std::numeric_limits<Price>::max(),
                                    .algorithm = LOWLAT_ALGORITHM_FIFO,
                                    .off_tick = LOWLAT_TICK_ROUNDING_REJECT};
    Engine engine({.size = sizeof(lowlat_engine_settings),
                   .command_size = command_size,
                   .rules = &plain,
                   .symbols = 1,
                   .orders = static_cast<std::uint32_t>(orders)});
    Answer answer(events);
    for (std::uint64_t sequence = 0;; ++sequence) {
        const void* command = commands.peek();
        while (command == nullptr) {
            // Once closed, no more come: what is seen then is all.
            const bool closed = commands.is_closed();
            command = commands.peek();
            if (command == nullptr && closed) return;
            if (command == nullptr) sched_yield();
        }
        if (is_due("crashes", sequence)) raise(SIGSEGV);
        if (is_due("exits", sequence)) std::exit(7);
        if (is_due("truncates", sequence) || is_due("truncates_and_hangs", sequence)) events.truncate();
        if (is_due("scribbles", sequence)) events.scribble();
        while (is_due("hangs", sequence) || is_due("truncates_and_hangs", sequence)) pause();
        engine.execute_all(command, 1, &Answer::take, &answer);
        commands.release();
        answer.end(sequence);
    }
}

/// What follows a name in a message of lowlat, up to the next quote, comma or brace.
std::string after(const std::string& line, const std::string& name) {
    const std::size_t start = line.find("\"" + name + "\":") + name.size() + 3;
    const bool is_text = line.at(start) == '"';
    const std::size_t first = start + (is_text ? 1 : 0);
    return line.substr(first, line.find_first_of(is_text ? "\"" : ",}", first) - first);
}

}  // namespace

int main(int count, char** words) {
    fault = count > 1 ? words[1] : "";
    for (std::string line; std::getline(std::cin, line);) {
        if (after(line, "type") == "hello") {
            std::cout << R"({"type":"ready","protocol":"lowlat.engine","protocol_version":1,)"
                      << R"("engine":{"name":"ring book","version":"1.0","language":"C++"},"capabilities":)"
                      << R"(["MARKET","IOC","FOK","REDUCE","REPLACE","POST_ONLY","REASONS","TRADE_IDS"]})" << std::endl;
            continue;
        }
        Ring commands(after(line, "commands"));
        Ring events(after(line, "events"));
        std::cout << R"({"type":"created"})" << std::endl;
        serve(commands, events, std::stoul(after(line, "orders")), std::stoul(after(line, "command_bytes")));
    }
}
