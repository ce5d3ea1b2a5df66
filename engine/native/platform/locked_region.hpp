// Memory allocated once at start: page-aligned, on huge pages if available, touched, and locked if permitted; or only
// reserved then, and touched and locked as it comes into use.
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

namespace lowlat {

/// When a region's pages become resident: at the start; by touch(), as it comes into use; or by the system, huge pages
/// as they are first written to, each of which takes long to fill with zeros.
enum class Touch : std::uint8_t { all, as_used, on_demand };

/// An owned mapping. After construction every page is resident, so that the hot path has no page faults; unless it is
/// to be touched as it is used, by touch().
class LockedRegion {
  public:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    LockedRegion() = default;

    /// Starts on a huge page; the end is only rounded up to a small page, so that no unused memory is resident. It
    /// grows in place up to `room` bytes, of which only addresses are taken: none where these are limited or run out.
    explicit LockedRegion(std::size_t bytes, Touch touched = Touch::all, std::size_t room = 0)
        : bytes_(whole_pages(bytes)), room_(bytes_) {
        if (room > bytes_ && !addresses_limited()) take_room(whole_pages(room));
        if (start_ == nullptr) start_ = map_aligned(bytes_, PROT_READ | PROT_WRITE);
        taken_.fetch_add(1, std::memory_order_relaxed);
        ASAN_POISON_MEMORY_REGION(start_, bytes_);
        if (touched != Touch::as_used) {  // else by small pages: a huge one takes long to fill with zeros
#if defined(MADV_HUGEPAGE) && !defined(LOWLAT_WITHOUT_HUGE_PAGES)
            huge_asked_ = madvise(start_, bytes_, MADV_HUGEPAGE) == 0;
#endif
        }
        if (touched == Touch::all) touch(bytes_);
        if (touched == Touch::on_demand) touch_on_demand();
        lock();
    }

    /// Make at least the first `bytes` bytes resident. What they hold is kept.
    void touch(std::size_t bytes) {
        const std::size_t end = std::min(whole_pages(bytes), bytes_);
        if (end <= touched_) return;
        fill_pages(start_ + touched_, end - touched_);
        touched_ = end;
    }

    /// Make it larger: in place, or beyond its room, at another address, to which its pages are moved, not copied. The
    /// new ones become resident by touch(). All of it is to be taken anew. Throws std::bad_alloc, and then nothing has
    /// changed.
    void grow(std::size_t bytes) {
        bytes = whole_pages(bytes);
        if (bytes > room_) {
            move_pages(bytes);
        } else if (bytes > bytes_ && !grown_in_place(bytes)) {
            throw std::bad_alloc();
        }
        used_ = 0;
    }

    /// Do now what a later grow() to this size would have to do in place, if there is memory. False if that is nothing.
    bool grow_ahead(std::size_t bytes) {
        bytes = whole_pages(bytes);
        if (bytes <= bytes_ || bytes > room_) return false;
        grown_in_place(bytes);
        return true;
    }

    /// Leave it to the system to make all of it resident, page by page, as it is first written to.
    void touch_on_demand() { touched_ = bytes_; }

    LockedRegion(LockedRegion&& other) noexcept { swap(other); }
    LockedRegion& operator=(LockedRegion&& other) noexcept {
        LockedRegion taken(std::move(other));
        swap(taken);
        return *this;
    }
    LockedRegion(const LockedRegion&) = delete;
    LockedRegion& operator=(const LockedRegion&) = delete;
    ~LockedRegion() {
        if (start_ == nullptr) return;
        ASAN_UNPOISON_MEMORY_REGION(start_, bytes_);
        munmap(start_, room_);
    }

    /// The next `count` objects of `T`, aligned to a cache line, their bytes zero.
    template <typename T>
    T* take(std::size_t count) {
        T* taken = reinterpret_cast<T*>(start_ + used_);
        used_ += room_for<T>(count);
        if (used_ > bytes_) throw std::bad_alloc();
        ASAN_UNPOISON_MEMORY_REGION(taken, count * sizeof(T));
        return taken;
    }

    /// Bytes that `take<T>(count)` uses. Under the address sanitizer it adds a poisoned cache line.
    template <typename T>
    static constexpr std::size_t room_for(std::size_t count) {
        static_assert(alignof(T) <= cache_line);
        return (count * sizeof(T) + cache_line - 1) / cache_line * cache_line + guard;
    }

    const std::byte* start() const { return start_; }
    std::size_t bytes() const { return bytes_; }
    /// Bytes at its start that are resident, or are to become so as they are written to.
    std::size_t touched() const { return touched_; }
    bool huge_asked() const { return huge_asked_; }
    /// 0 if the pages are locked, else the errno of mlock (EPERM or ENOMEM: the limit is too low).
    int lock_error() const { return lock_error_; }

    /// Mappings made by this process so far.
    static std::uint64_t taken() { return taken_.load(std::memory_order_relaxed); }

  private:
    static inline std::atomic<std::uint64_t> taken_{0};
    static constexpr std::size_t cache_line = 64;
#if defined(__SANITIZE_ADDRESS__)
    static constexpr std::size_t guard = cache_line;
#else
    static constexpr std::size_t guard = 0;
#endif
    static constexpr std::size_t small_page = 4096;

    static constexpr std::size_t whole_pages(std::size_t bytes) {
        return (bytes + small_page - 1) / small_page * small_page;
    }

    static bool addresses_limited() {
        rlimit limit{};
        return getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
    }

    /// Map addresses for so many bytes, those of the first usable. If that is not possible, nothing is mapped.
    void take_room(std::size_t room) {
        try {
            start_ = map_aligned(room, PROT_NONE);
        } catch (const std::bad_alloc&) {
            return;
        }
        if (make_writable(0, bytes_)) {
            room_ = room;
        } else {
            munmap(std::exchange(start_, nullptr), room);
        }
    }

    /// Only what may be written to counts as memory, as for RLIMIT_DATA and overcommitment: this may be refused.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): as in a half-open range
    bool make_writable(std::size_t begin, std::size_t end) const {
        return mprotect(start_ + begin, end - begin, PROT_READ | PROT_WRITE) == 0;
    }

    /// Map this much from the start of a huge page on. Throws std::bad_alloc.
    // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): a size, and bits
    static std::byte* map_aligned(std::size_t bytes, int access) {
        // Map one extra huge page and trim both ends.
        void* mapped = mmap(nullptr, bytes + huge_page, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) throw std::bad_alloc();
        auto* first = static_cast<std::byte*>(mapped);
        const std::size_t before = -reinterpret_cast<std::uintptr_t>(first) % huge_page;
        if (before != 0) munmap(first, before);
        if (before != huge_page) munmap(first + before + bytes, huge_page - before);
        return first + before;
    }

    /// Pages are locked as they become resident.
    void lock() {
#if defined(MLOCK_ONFAULT)
        lock_error_ = mlock2(start_, bytes_, MLOCK_ONFAULT) == 0 ? 0 : errno;
#else
        lock_error_ = touched_ == 0 || mlock(start_, touched_) == 0 ? 0 : errno;
#endif
    }

    /// From here on by small pages; those that are huge stay so.
    void end_huge_pages() const {
#if defined(MADV_NOHUGEPAGE)
        madvise(start_, room_, MADV_NOHUGEPAGE);
#endif
    }

    /// False, with nothing changed, if there is no memory.
    bool grown_in_place(std::size_t bytes) {
        end_huge_pages();
        if (!make_writable(bytes_, bytes)) return false;
        ASAN_POISON_MEMORY_REGION(start_ + bytes_, bytes - bytes_);
        bytes_ = bytes;
        taken_.fetch_add(1, std::memory_order_relaxed);
        if (lock_error_ != 0) return true;
        lock();
        if (lock_error_ != 0) munlock(start_, bytes_);  // all is locked or nothing
        return true;
    }

#if defined(MREMAP_MAYMOVE) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    void move_pages(std::size_t bytes) {
        end_huge_pages();
        void* moved = moved_to_new(bytes);
        if (moved == MAP_FAILED && lock_error_ == 0) {  // perhaps more than may be locked
            munlock(start_, bytes_);
            lock_error_ = ENOMEM;
            moved = moved_to_new(bytes);
        }
        if (moved == MAP_FAILED) throw std::bad_alloc();
        if (room_ != bytes_) munmap(start_ + bytes_, room_ - bytes_);
        start_ = static_cast<std::byte*>(moved);
        bytes_ = room_ = bytes;
        taken_.fetch_add(1, std::memory_order_relaxed);
    }

    /// The pages at a new place: the same within a huge page, so that page tables are moved as a whole. After a failure
    /// the place is given up: older kernels have unmapped it then, and it may be another thread's by now.
    void* moved_to_new(std::size_t bytes) const {
        return mremap(start_, bytes_, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, map_aligned(bytes, PROT_NONE));
    }
#else
    void move_pages(std::size_t bytes) {
        LockedRegion larger(bytes, Touch::as_used);
        larger.touch(touched_);
        ASAN_UNPOISON_MEMORY_REGION(start_, bytes_);
        ASAN_UNPOISON_MEMORY_REGION(larger.start_, larger.bytes_);
        std::memcpy(larger.start_, start_, touched_);
        ASAN_POISON_MEMORY_REGION(larger.start_, larger.bytes_);
        swap(larger);
    }
#endif

    /// Write to every page that nothing has been written to.
#if defined(__SANITIZE_ADDRESS__)
    __attribute__((no_sanitize_address))
#endif
    static void fill_pages(std::byte* first, std::size_t bytes) {
        for (std::size_t at = 0; at < bytes; at += small_page) const_cast<volatile std::byte&>(first[at]) = {};
    }

    void swap(LockedRegion& other) noexcept {
        std::swap(start_, other.start_);
        std::swap(bytes_, other.bytes_);
        std::swap(room_, other.room_);
        std::swap(touched_, other.touched_);
        std::swap(used_, other.used_);
        std::swap(huge_asked_, other.huge_asked_);
        std::swap(lock_error_, other.lock_error_);
    }

    std::byte* start_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t room_ = 0;  // bytes of addresses from the start on
    std::size_t touched_ = 0;
    std::size_t used_ = 0;
    bool huge_asked_ = false;
    int lock_error_ = 0;
};

}  // namespace lowlat
