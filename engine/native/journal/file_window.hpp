// Reads a file in pieces, into memory that is used again. Reading copies: if another process cuts the file meanwhile,
// that is an error here, where a mapped file would end the process (SIGBUS).
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Becomes a Python error: OSError, or EOFError if `error_number` is 0, because the file has become shorter.
class JournalReadError : public std::runtime_error {
  public:
    explicit JournalReadError(int error)
        : std::runtime_error(error == 0 ? "the file became shorter" : "pread"), error_number(error) {}

    int error_number;
};

/// The first `bytes` bytes of a file. Does not own the descriptor.
class FileWindow {
  public:
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a descriptor, and its size
    FileWindow(int file, std::uint64_t bytes) : file_(file), bytes_(bytes) {}

    std::uint64_t bytes() const { return bytes_; }

    /// The first place from an offset on that may hold anything but zeros: behind a hole of the file, which may be of
    /// any size; `bytes()` if nothing follows.
    std::uint64_t data_from(std::uint64_t offset) const {
#if defined(SEEK_DATA)
        const off_t data = lseek(file_, static_cast<off_t>(offset), SEEK_DATA);
        if (data >= 0) return std::min(static_cast<std::uint64_t>(data), bytes_);
        if (errno == ENXIO) return bytes_;
#endif
        return offset;
    }

    /// `count` bytes at `offset`, at most `most`, within the file; aligned as the offset is, up to 8. Valid until the
    /// next call. Throws JournalReadError, std::bad_alloc.
    const std::byte* at(std::uint64_t offset, std::uint64_t count) {
        if (unlikely(offset < begin_ || offset + count > end_)) read(offset);
        return held_.get() + (offset - begin_);
    }

    /// The largest `count`.
    static constexpr std::uint64_t most = std::uint64_t{2} << 20;

  private:
    static constexpr std::uint64_t alignment = 64;

    LOWLAT_COLD void read(std::uint64_t offset) {
        begin_ = end_ = offset / alignment * alignment;
        const std::uint64_t size = std::min(bytes_ - begin_, most + alignment);
        if (size > room_) {
            held_ = std::make_unique_for_overwrite<std::byte[]>(size);
            room_ = size;
        }
        while (end_ < begin_ + size) {
            const ssize_t got =
                pread(file_, held_.get() + (end_ - begin_), begin_ + size - end_, static_cast<off_t>(end_));
            if (got == 0) throw JournalReadError(0);
            if (got < 0 && errno != EINTR) throw JournalReadError(errno);
            if (got > 0) end_ += static_cast<std::uint64_t>(got);
        }
    }

    int file_;
    std::uint64_t bytes_;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t room_ = 0;
    std::unique_ptr<std::byte[]> held_;
};

}  // namespace lowlat
