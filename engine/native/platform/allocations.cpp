// Counts the heap allocations and mappings of this module, so that "none on the hot path" is a measurement. The linker
// resolves this module's `new` to the ones below, unless an allocator was preloaded (LD_PRELOAD) or a sanitizer has its
// own. Then nothing is counted; a first test allocation detects this.
#include "engine/native/platform/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/native/platform/locked_region.hpp"

namespace lowlat {
namespace {
std::atomic<std::uint64_t> counted{0};
}  // namespace

std::int64_t allocations() {
    static const bool counts = [] {
        const std::uint64_t before = counted.load(std::memory_order_relaxed);
        void* volatile block = ::operator new(1);  // volatile: the pair must not be optimized away
        ::operator delete(block);
        return counted.load(std::memory_order_relaxed) != before;
    }();
    if (!counts) return -1;
    return static_cast<std::int64_t>(counted.load(std::memory_order_relaxed) + LockedRegion::taken());
}

}  // namespace lowlat

#if LOWLAT_COUNTS_ALLOCATIONS
// NOLINTBEGIN(clang-analyzer-unix.MismatchedDeallocator): these are the pair that the check would have used
void* operator new(std::size_t bytes) {
    lowlat::counted.fetch_add(1, std::memory_order_relaxed);
    if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
    throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
    return operator new(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    lowlat::counted.fetch_add(1, std::memory_order_relaxed);
    const auto align = static_cast<std::size_t>(alignment);
    if (void* block = std::aligned_alloc(align, (bytes + align - 1) / align * align)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}
// NOLINTEND(clang-analyzer-unix.MismatchedDeallocator)
#endif
