// Memory with a chosen size of pages, straight from the kernel.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace lowlat {

// The pages that a region asks for. Only reserved ones are certain; /proc/self/smaps tells whether transparent ones
// came.
enum class PageChoice : int { base = 0, transparent = 1, reserved = 2 };

class MemoryRegion {
  public:
    // `huge_bytes`: size of a huge page, a power of two; the region begins at a multiple of it.
    MemoryRegion(std::size_t bytes, PageChoice pages, std::size_t huge_bytes) noexcept : pages_(pages) {
        bytes_ = (bytes + huge_bytes - 1) / huge_bytes * huge_bytes;
        mapped_bytes_ = bytes_ + (pages == PageChoice::reserved ? 0 : huge_bytes);
        void* mapped = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, flags(huge_bytes), -1, 0);
        if (mapped == MAP_FAILED) {
            error_ = errno;
            return;
        }
        mapped_ = static_cast<std::byte*>(mapped);
        const auto address = reinterpret_cast<std::uintptr_t>(mapped);
        start_ = mapped_ + (huge_bytes - address % huge_bytes) % huge_bytes;
        advise();
    }
    ~MemoryRegion() {
        if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
    }
    MemoryRegion(const MemoryRegion&) = delete;
    MemoryRegion& operator=(const MemoryRegion&) = delete;
    MemoryRegion(MemoryRegion&&) = delete;
    MemoryRegion& operator=(MemoryRegion&&) = delete;

    // The errno with which the kernel refused the mapping; 0 if it did not.
    [[nodiscard]] int error() const noexcept { return error_; }
    [[nodiscard]] std::byte* start() const noexcept { return start_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return error_ == 0 ? bytes_ : 0; }

    // Has the kernel give memory to a part. Returns 0 or an errno: without this call, a page that the kernel does not
    // have would kill the process at its first write.
    int populate(std::size_t offset, std::size_t bytes) noexcept {
        constexpr int populate_write = 23;  // MADV_POPULATE_WRITE of Linux 5.14, which older headers lack
        if (offset >= this->bytes()) return EINVAL;
        const std::size_t size = bytes < bytes_ - offset ? bytes : bytes_ - offset;
#if defined(__linux__)
        if (madvise(start_ + offset, size, populate_write) == 0) return 0;
        if (errno != EINVAL || pages_ == PageChoice::reserved) return errno;
#endif
        for (std::size_t at = offset; at < offset + size; at += write_bytes)
            *reinterpret_cast<volatile unsigned char*>(start_ + at) = 0;
        return 0;
    }

  private:
    static constexpr std::size_t write_bytes = 4096;  // no page is smaller

    [[nodiscard]] int flags(std::size_t huge_bytes) const noexcept {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(MAP_HUGETLB)
        constexpr int size_shift = 26;  // MAP_HUGE_SHIFT: the kernel takes the size as its logarithm
        if (pages_ == PageChoice::reserved) flags |= MAP_HUGETLB | std::countr_zero(huge_bytes) << size_shift;
#else
        static_cast<void>(huge_bytes);
#endif
#if defined(MAP_NORESERVE)
        if (pages_ != PageChoice::reserved) flags |= MAP_NORESERVE;
#endif
        return flags;
    }
    // A refusal is no error: a kernel without transparent huge pages gives base pages anyway.
    void advise() const noexcept {
#if defined(MADV_HUGEPAGE)
        if (pages_ == PageChoice::transparent) madvise(start_, bytes_, MADV_HUGEPAGE);
        if (pages_ == PageChoice::base) madvise(start_, bytes_, MADV_NOHUGEPAGE);
#endif
    }

    PageChoice pages_;
    std::size_t bytes_ = 0;
    std::size_t mapped_bytes_ = 0;
    std::byte* mapped_ = nullptr;
    std::byte* start_ = nullptr;
    int error_ = 0;
};

}  // namespace lowlat
