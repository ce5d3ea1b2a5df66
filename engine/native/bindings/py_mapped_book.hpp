// Writer and reader of a mapped book for Python; each holds its mapping.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/native/bindings/py_buffer.hpp"
#include "engine/native/platform/guarded_mapping.hpp"
#include "engine/native/platform/wall_clock.hpp"
#include "engine/native/shared_book/level_book.hpp"
#include "engine/native/shared_book/mapped_book.hpp"

namespace lowlat {

/// A mapping held for the object's lifetime, so that it cannot be unmapped under a reader or writer, and guarded
/// against the truncation of its file.
template <typename Byte>
class PyMappedBook {
  public:
    PyMappedBook(nanobind::handle mapping, std::uint32_t depth, std::string name)
        : held_(mapping),
          guard_(held_.data(), held_.size(), !std::is_const_v<Byte>),
          name_(std::move(name)),
          memory_(const_cast<std::byte*>(held_.data()), depth) {
        if (depth == 0 || depth > book_depth_max || held_.size() < book_bytes(depth))
            throw nanobind::buffer_error("the mapping is shorter than a book of this depth");
        if (reinterpret_cast<std::uintptr_t>(held_.data()) % alignof(BookHeader) != 0)
            throw nanobind::buffer_error("the mapping is not aligned");
    }
    BookMemory memory() const { return memory_; }

    /// Throws MappedFileError if the file lost any of the book. Call after each use.
    void check() const { guard_.check(name_); }

  private:
    PyBuffer<Byte> held_;
    GuardedMapping guard_;
    std::string name_;
    BookMemory memory_;
};

/// Python's writer: the mapping, its book, and all levels set by `update_level`.
class MappedBookWriter {
  public:
    MappedBookWriter(nanobind::handle mapping, std::uint32_t depth, std::string name)
        : held_(mapping, depth, std::move(name)), book_(held_.memory()), mirror_(depth) {}

    /// The writer itself, for operations other than on single levels.
    BookWriter& book() { return book_; }

    /// Update the book from a source that has all its levels.
    template <typename Source>
    bool publish(std::uint64_t command, const Source& source, std::uint32_t symbol) {
        mirrored_ = false;
        const bool changed = book_.publish(command, source, symbol);
        beat();
        return changed;
    }

    /// Say that the writer lives.
    void beat() {
        book_.beat(coarse_wall_ns());
        held_.check();
    }

    /// One level, for the book that `publish_updates` shows; see LevelMirror::update.
    void update_level(Side side, const LevelRow& row) {
        if (!mirrored_) adopt_shown();
        mirror_.update(side, row);
    }

    /// Publish the updated levels. False if they cross: then readers keep the previous book.
    bool publish_updates(std::uint64_t command) {
        if (!mirrored_) return true;
        if (mirror_.crossed()) return false;
        book_.publish(command, mirror_, 0);
        beat();
        return true;
    }

  private:
    /// Continue from the levels that readers see.
    void adopt_shown() {
        mirror_.clear();
        const BookMemory& shown = book_.memory();
        for (const Side side : both_sides) {
            const std::uint32_t count = BookReader(shown).count(side);
            for (std::uint32_t n = 0; n < count; ++n) mirror_.update(side, shown.side(side)[n].load());
        }
        mirrored_ = true;
    }

    PyMappedBook<std::byte> held_;
    BookWriter book_;
    LevelBook mirror_;
    bool mirrored_ = false;  // whether the mirror is what readers see, or will
};

class MappedBookReader {
  public:
    MappedBookReader(nanobind::handle mapping, std::uint32_t depth, std::string name)
        : held_(mapping, depth, std::move(name)), book_(held_.memory()) {}

    /// What `use(book)` returns, unless the file lost any of the book meanwhile.
    template <typename Use>
    auto with_book(Use use) const {
        auto result = use(book_);  // NOLINT(misc-const-correctness): returned by a move
        held_.check();
        return result;
    }

  private:
    PyMappedBook<const std::byte> held_;
    BookReader book_;
};

}  // namespace lowlat
