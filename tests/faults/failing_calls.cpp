// Loaded with LD_PRELOAD: lets one call of the C library fail, the Nth of its kind, as a full disk or a sandbox would.
//
// The plan and the counters are in a file that all processes of a command map, so that "the 7th write of any child" is
// well defined. The command itself is armed by `fault_arm`, its children when they start.

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum class Call : std::int32_t {
    open,
    read,
    write,
    sync,
    mmap,
    allocate,
    thread,
    process,
    stat,
    truncate,
    link,
    folder,
    pipe,
    seek,
    control,
    close,
    wait,
    affinity,
};
constexpr std::size_t calls = 18, roles = 2;
constexpr std::size_t large_bytes = std::size_t{128} << 10;  // from here on the C library asks the kernel
constexpr std::int32_t partly = -1;

/// As tests/faults/plan.py writes it.
struct Plan {
    std::int32_t role;    // 0: the command, 1: its children
    std::int32_t call;    // of which kind; -1: only count
    std::int32_t error;   // errno, or `partly`: a read or write of half the bytes
    std::int32_t onward;  // whether all later calls of the kind fail too
    std::uint64_t nth;    // from 0
    std::atomic<std::uint64_t> fired;
    std::atomic<std::uint64_t> counts[roles][calls];
    char where[256];
};

Plan* plan = nullptr;
std::int32_t own_role = 0;
thread_local bool inside = false;

template <typename Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void note(const char* name, const char* path, int file) {
    if (plan->fired.fetch_add(1) != 0) return;
    char target[128] = "";
    if (path == nullptr && file >= 0) {
        char link[32];
        std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        const ssize_t length = readlink(link, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
    }
    std::snprintf(plan->where, sizeof plan->where, "%s %d %s", name, file, path != nullptr ? path : target);
}

/// Count a call; returns the errno with which it fails, 0 if it does not.
std::int32_t fault(Call call, const char* name, const char* path = nullptr, int file = -1) {
    if (plan == nullptr || inside) return 0;
    const auto kind = static_cast<std::int32_t>(call);
    const std::uint64_t at = plan->counts[own_role][kind].fetch_add(1);
    if (plan->call != kind || plan->role != own_role) return 0;
    if (plan->onward != 0 ? at < plan->nth : at != plan->nth) return 0;
    inside = true;
    note(name, path, file);
    inside = false;
    return plan->error;
}

/// Whether a call that cannot succeed in part fails; sets errno.
bool fails(Call call, const char* name, const char* path = nullptr, int file = -1) {
    const std::int32_t error = fault(call, name, path, file);
    if (error == 0) return false;
    errno = error == partly ? EIO : error;
    return true;
}

/// The number of bytes to transfer, or -1 with errno set.
ssize_t allowed(Call call, const char* name, int file, std::size_t bytes) {
    const std::int32_t error = fault(call, name, nullptr, file);
    if (error == 0) return static_cast<ssize_t>(bytes);
    if (error == partly) return static_cast<ssize_t>(bytes > 1 ? bytes / 2 : bytes);
    errno = error;
    return -1;
}

bool too_large(std::size_t bytes, const char* name) {
    return bytes >= large_bytes && fails(Call::allocate, name);
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

int fault_arm(const char* path, std::int32_t role) {
    inside = true;
    const int file = open(path, O_RDWR | O_CLOEXEC);
    void* mapped = file < 0 ? MAP_FAILED : mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    inside = false;
    if (mapped == MAP_FAILED) return -1;
    own_role = role;
    plan = static_cast<Plan*>(mapped);
    return 0;
}

__attribute__((constructor)) void arm_a_child() {
    if (const char* path = std::getenv("FAULT_PLAN")) fault_arm(path, 1);
}

void* malloc(std::size_t bytes) {
    return too_large(bytes, "malloc") ? nullptr : __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    return too_large(count * bytes, "calloc") ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
    return too_large(bytes, "realloc") ? nullptr : __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return too_large(bytes, "aligned_alloc") ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) {
    if (too_large(bytes, "posix_memalign")) return ENOMEM;
    *to = __libc_memalign(alignment, bytes);
    return *to == nullptr ? ENOMEM : 0;
}

// Variadic: the mode is there only where a file may be created, and passing a meaningless one on is harmless.
#define OPENS(name)                                                           \
    int name(const char* path, int flags, ...) {                              \
        static const auto real = next<int (*)(const char*, int, ...)>(#name); \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        const auto mode = va_arg(rest, unsigned);                             \
        va_end(rest);                                                         \
        return fails(Call::open, #name, path) ? -1 : real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)
#define OPENS_AT(name)                                                                \
    int name(int folder, const char* path, int flags, ...) {                          \
        static const auto real = next<int (*)(int, const char*, int, ...)>(#name);    \
        va_list rest;                                                                 \
        va_start(rest, flags);                                                        \
        const auto mode = va_arg(rest, unsigned);                                     \
        va_end(rest);                                                                 \
        return fails(Call::open, #name, path) ? -1 : real(folder, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

// A call with a result of its own, which is `failed` if it fails.
#define FAILS(result, call, name, failed, path, file, parameters, arguments) \
    result name parameters {                                                 \
        static const auto real = next<result(*) parameters>(#name);          \
        if (fails(call, #name, path, file)) return failed;                   \
        return real arguments;                                               \
    }
#define FAILS_BY_PATH(call, name, parameters, arguments) FAILS(int, call, name, -1, path, -1, parameters, arguments)
#define FAILS_BY_FILE(call, name, parameters, arguments) \
    FAILS(int, call, name, -1, nullptr, file, parameters, arguments)

FAILS(FILE*, Call::open, fopen, nullptr, path, -1, (const char* path, const char* mode), (path, mode))
FAILS(FILE*, Call::open, fopen64, nullptr, path, -1, (const char* path, const char* mode), (path, mode))
FAILS(DIR*, Call::folder, opendir, nullptr, path, -1, (const char* path), (path))
FAILS_BY_PATH(Call::folder, mkdir, (const char* path, mode_t mode), (path, mode))
FAILS_BY_PATH(Call::folder, chdir, (const char* path), (path))
FAILS_BY_PATH(Call::stat, stat, (const char* path, struct stat* to), (path, to))
FAILS_BY_PATH(Call::stat, stat64, (const char* path, struct stat64* to), (path, to))
FAILS_BY_PATH(Call::stat, lstat, (const char* path, struct stat* to), (path, to))
FAILS_BY_PATH(Call::stat, lstat64, (const char* path, struct stat64* to), (path, to))
FAILS_BY_PATH(Call::stat, access, (const char* path, int mode), (path, mode))
FAILS_BY_FILE(Call::stat, fstat, (int file, struct stat* to), (file, to))
FAILS_BY_FILE(Call::stat, fstat64, (int file, struct stat64* to), (file, to))
FAILS_BY_FILE(Call::truncate, ftruncate, (int file, off_t size), (file, size))
FAILS_BY_FILE(Call::truncate, ftruncate64, (int file, off64_t size), (file, size))
FAILS_BY_FILE(Call::truncate, fchmod, (int file, mode_t mode), (file, mode))
FAILS_BY_PATH(Call::link, rename, (const char* path, const char* to), (path, to))
FAILS_BY_PATH(Call::link, link, (const char* path, const char* to), (path, to))
FAILS_BY_FILE(Call::sync, fsync, (int file), (file))
FAILS_BY_FILE(Call::sync, fdatasync, (int file), (file))
FAILS(off_t, Call::seek, lseek, -1, nullptr, file, (int file, off_t to, int from), (file, to, from))
FAILS(off64_t, Call::seek, lseek64, -1, nullptr, file, (int file, off64_t to, int from), (file, to, from))
FAILS(int, Call::pipe, pipe, -1, nullptr, -1, (int* ends), (ends))
FAILS(int, Call::pipe, pipe2, -1, nullptr, -1, (int* ends, int flags), (ends, flags))
FAILS(int, Call::pipe, socket, -1, nullptr, -1, (int domain, int type, int protocol), (domain, type, protocol))
FAILS(int, Call::pipe, poll, -1, nullptr, -1, (struct pollfd * files, nfds_t count, int ms), (files, count, ms))
FAILS_BY_FILE(Call::pipe, dup2, (int file, int to), (file, to))
FAILS(pid_t, Call::process, fork, -1, nullptr, -1, (), ())
FAILS(pid_t, Call::process, setsid, -1, nullptr, -1, (), ())
FAILS(pid_t, Call::wait, waitpid, -1, nullptr, -1, (pid_t who, int* status, int flags), (who, status, flags))
FAILS(void*, Call::mmap, mmap, MAP_FAILED, nullptr, file,
      (void* at, std::size_t size, int rights, int flags, int file, off_t from), (at, size, rights, flags, file, from))
FAILS(void*, Call::mmap, mmap64, MAP_FAILED, nullptr, file,
      (void* at, std::size_t size, int rights, int flags, int file, off64_t from),
      (at, size, rights, flags, file, from))
FAILS(int, Call::affinity, sched_getaffinity, -1, nullptr, -1, (pid_t who, std::size_t size, cpu_set_t* to),
      (who, size, to))
FAILS(int, Call::affinity, sched_setaffinity, -1, nullptr, -1, (pid_t who, std::size_t size, const cpu_set_t* to),
      (who, size, to))

/// A child of vfork may not return from here, so the process is forked.
pid_t vfork() {
    return fork();
}

int pthread_create(pthread_t* to, const pthread_attr_t* with, void* (*work)(void*), void* about) {
    static const auto real =
        next<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    return fails(Call::thread, "pthread_create") ? errno : real(to, with, work, about);
}

int close(int file) {
    static const auto real = next<int (*)(int)>("close");
    const bool failed = fails(Call::close, "close", nullptr, file);  // before it, for the name of the file
    const int error = errno, result = real(file);
    if (failed) errno = error;
    return failed ? -1 : result;
}

int fcntl64(int file, int command, ...) {
    static const auto real = next<int (*)(int, int, ...)>("fcntl64");
    va_list rest;
    va_start(rest, command);
    void* about = va_arg(rest, void*);
    va_end(rest);
    return fails(Call::control, "fcntl", nullptr, file) ? -1 : real(file, command, about);
}

int ioctl(int file, unsigned long command, ...) {
    static const auto real = next<int (*)(int, unsigned long, ...)>("ioctl");
    va_list rest;
    va_start(rest, command);
    void* about = va_arg(rest, void*);
    va_end(rest);
    return fails(Call::control, "ioctl", nullptr, file) ? -1 : real(file, command, about);
}

// A read or write, which may also transfer only a part.
#define TRANSFERS(call, name, parameters, arguments)                 \
    ssize_t name parameters {                                        \
        static const auto real = next<ssize_t(*) parameters>(#name); \
        const ssize_t bytes = allowed(call, #name, file, wanted);    \
        return bytes < 0 ? -1 : real arguments;                      \
    }
TRANSFERS(Call::read, read, (int file, void* to, std::size_t wanted), (file, to, static_cast<std::size_t>(bytes)))
TRANSFERS(Call::read, pread, (int file, void* to, std::size_t wanted, off_t from),
          (file, to, static_cast<std::size_t>(bytes), from))
TRANSFERS(Call::read, pread64, (int file, void* to, std::size_t wanted, off64_t from),
          (file, to, static_cast<std::size_t>(bytes), from))
TRANSFERS(Call::write, write, (int file, const void* from, std::size_t wanted),
          (file, from, static_cast<std::size_t>(bytes)))
TRANSFERS(Call::write, pwrite, (int file, const void* from, std::size_t wanted, off_t at),
          (file, from, static_cast<std::size_t>(bytes), at))
TRANSFERS(Call::write, pwrite64, (int file, const void* from, std::size_t wanted, off64_t at),
          (file, from, static_cast<std::size_t>(bytes), at))

ssize_t pwritev64(int file, const struct iovec* from, int count, off64_t at) {
    static const auto real = next<ssize_t (*)(int, const struct iovec*, int, off64_t)>("pwritev64");
    const ssize_t parts = allowed(Call::write, "pwritev", file, static_cast<std::size_t>(count));
    return parts < 0 ? -1 : real(file, from, static_cast<int>(parts), at);
}
ssize_t pwritev(int file, const struct iovec* from, int count, off_t at) {
    return pwritev64(file, from, count, at);
}

}  // extern "C"
