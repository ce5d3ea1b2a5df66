// Memory that the kernel takes back while nobody uses it, and memory that is locked against that.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include "engine/native/ablation/trial.hpp"

namespace lowlat {

inline std::size_t page_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// A mapping of a file, each page of which was read once. Throws std::system_error.
class MappedPages {
  public:
    MappedPages(int file, std::size_t bytes) : file_(file), bytes_(bytes) {
        void* mapped = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        start_ = static_cast<std::byte*>(mapped);
        for (std::size_t at = 0; at < bytes_; at += page_) use(start_[at]);
    }
    MappedPages(const MappedPages&) = delete;
    MappedPages& operator=(const MappedPages&) = delete;
    ~MappedPages() { munmap(start_, bytes_); }

    const std::byte& operator[](std::size_t page) const { return start_[page * page_]; }

    void lock() {
        if (mlock(start_, bytes_) != 0) throw std::system_error(errno, std::generic_category(), "mlock");
    }

    /// Have the kernel take the pages, as it does on its own when memory is short. It does not take locked ones.
    void reclaim() {
#if defined(MADV_PAGEOUT)
        // Pages that another CPU has only just added to the kernel's lists are not taken. This takes none that are
        // mapped either, but has every CPU hand over its lists first.
        (void)posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED);
        if (madvise(start_, bytes_, MADV_PAGEOUT) == 0 || errno == EINVAL) return;  // EINVAL: locked
        throw std::system_error(errno, std::generic_category(), "madvise");
#else
        throw std::system_error(ENOSYS, std::generic_category(), "madvise");
#endif
    }

    std::size_t resident() const {
        std::vector<unsigned char> pages(bytes_ / page_);
        if (mincore(start_, bytes_, pages.data()) != 0) return 0;
        std::size_t found = 0;
        for (const unsigned char page : pages) found += page & 1U;
        return found;
    }

  private:
    std::size_t page_ = page_bytes();
    int file_;
    std::byte* start_ = nullptr;
    std::size_t bytes_;
};

/// Each operation reads a page of the mapped file after the kernel was asked to take all of them; with: they are
/// locked. Throws std::system_error with ENOTSUP if it took none that were not.
inline Pass measure_reclaimed_reads(const Trial& trial, int file) {
    MappedPages pages(file, trial.operations * page_bytes());
    if (trial.with) pages.lock();
    pages.reclaim();
    if (!trial.with && pages.resident() > trial.operations / 2)
        throw std::system_error(ENOTSUP, std::generic_category(), "madvise");
    return measured_operations(trial, [&](std::uint64_t at) { use(pages[at]); });
}

}  // namespace lowlat
