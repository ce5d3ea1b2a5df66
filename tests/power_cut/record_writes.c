/* Loaded before libc (LD_PRELOAD): records, in order, what a program does to the files of one folder.
 *
 * LOWLAT_RECORD_FOLDER is the folder, LOWLAT_RECORD_LOG the file that gets the records. A record is
 *
 *     op: 1 byte | inode: 8 | offset or number: 8 | length of what follows: 8 | bytes
 *
 *     W inode offset data       written               B inode          a sync begins: of the file's writes before this
 *     T inode size              truncated             E inode          that sync has ended well
 *     C inode - name            created, or linked    R inode - name \0 name    renamed
 *     U inode - name            removed               A - number       the program has acknowledged something
 *
 * Writes are recorded while no other call is, so their order is the real one; syncs run beside writes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static const char* folder;
static ssize_t (*real_write)(int, const void*, size_t);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
    real_write = REAL(write);
    folder = getenv("LOWLAT_RECORD_FOLDER");
    const char* log = getenv("LOWLAT_RECORD_LOG");
    if (folder == NULL || log == NULL) abort();
    log_file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) abort();
}

static void put(const void* bytes, size_t count) {
    for (const char* at = bytes; count > 0;) {
        const ssize_t done = real_write(log_file, at, count);
        if (done < 0) abort();
        at += done;
        count -= (size_t)done;
    }
}

static void record(char op, uint64_t inode, uint64_t number, const void* bytes, uint64_t count) {
    put(&op, 1);
    put(&inode, sizeof inode);
    put(&number, sizeof number);
    put(&count, sizeof count);
    put(bytes, count);
}

static int within(const char* path) {
    return path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

/* The inode of a descriptor of the folder or of a file in it, otherwise 0. */
static uint64_t watched(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    struct stat facts;
    return within(path) && fstat(file, &facts) == 0 ? facts.st_ino : 0;
}

static uint64_t inode_of(const char* path) {
    struct stat facts;
    return stat(path, &facts) == 0 ? facts.st_ino : 0;
}

void record_acknowledged(uint64_t number) {
    pthread_mutex_lock(&order);
    record('A', 0, number, NULL, 0);
    pthread_mutex_unlock(&order);
}

/* -- contents ------------------------------------------------------------------------------------------------------ */

#define AFTER(call, condition, ...)         \
    pthread_mutex_lock(&order);             \
    const __typeof__(call) result = (call); \
    const int error = errno;                \
    if (condition) {                        \
        __VA_ARGS__;                        \
    }                                       \
    pthread_mutex_unlock(&order);           \
    errno = error;                          \
    return result

ssize_t write(int file, const void* bytes, size_t count) {
    const uint64_t inode = watched(file);
    if (inode == 0) return real_write(file, bytes, count);
    const off_t at = lseek(file, 0, SEEK_CUR);
    AFTER(real_write(file, bytes, count), result > 0, record('W', inode, (uint64_t)at, bytes, (uint64_t)result));
}

static ssize_t record_vector(ssize_t (*call)(int, const struct iovec*, int, off_t), int file, const struct iovec* parts,
                             int count, off_t offset) {
    const uint64_t inode = watched(file);
    if (inode == 0) return call(file, parts, count, offset);
    size_t size = 0;
    for (int at = 0; at < count; ++at) size += parts[at].iov_len;
    char *whole = malloc(size), *to = whole;
    if (whole == NULL) abort();
    for (int at = 0; at < count; ++at)
        to = (char*)memcpy(to, parts[at].iov_base, parts[at].iov_len) + parts[at].iov_len;
    pthread_mutex_lock(&order);
    const ssize_t result = call(file, parts, count, offset);
    const int error = errno;
    if (result > 0) record('W', inode, (uint64_t)offset, whole, (uint64_t)result);
    pthread_mutex_unlock(&order);
    free(whole);
    errno = error;
    return result;
}

ssize_t pwritev(int file, const struct iovec* parts, int count, off_t offset) {
    return record_vector(REAL(pwritev), file, parts, count, offset);
}
ssize_t pwritev64(int file, const struct iovec* parts, int count, off_t offset) {
    return record_vector(REAL(pwritev), file, parts, count, offset);
}

int ftruncate(int file, off_t size) {
    const uint64_t inode = watched(file);
    AFTER(REAL(ftruncate)(file, size), result == 0 && inode != 0, record('T', inode, (uint64_t)size, NULL, 0));
}
int ftruncate64(int file, off_t size) {
    return ftruncate(file, size);
}

static int record_sync(int (*call)(int), int file) {
    const uint64_t inode = watched(file);
    if (inode == 0) return call(file);
    pthread_mutex_lock(&order);
    record('B', inode, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    const int result = call(file);
    const int error = errno;
    pthread_mutex_lock(&order);
    if (result == 0) record('E', inode, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int fsync(int file) {
    return record_sync(REAL(fsync), file);
}
int fdatasync(int file) {
    return record_sync(REAL(fdatasync), file);
}

/* -- names --------------------------------------------------------------------------------------------------------- */

static int record_open(const char* path, int flags, mode_t mode) {
    const int creates = (flags & O_CREAT) != 0 && within(path) && access(path, F_OK) != 0;
    AFTER(REAL(open)(path, flags, mode), result >= 0 && creates, record('C', inode_of(path), 0, path, strlen(path)));
}

#define OPEN(name)                                                             \
    int name(const char* path, int flags, ...) {                               \
        va_list more;                                                          \
        va_start(more, flags);                                                 \
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                          \
        return record_open(path, flags, mode);                                 \
    }
OPEN(open)
OPEN(open64)

int link(const char* from, const char* to) {
    AFTER(REAL(link)(from, to), result == 0 && within(to), record('C', inode_of(to), 0, to, strlen(to)));
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
    AFTER(REAL(linkat)(from_folder, from, to_folder, to, flags), result == 0 && within(to),
          record('C', inode_of(to), 0, to, strlen(to)));
}

static void record_rename(const char* from, const char* to) {
    char names[8192];
    const int length = snprintf(names, sizeof names, "%s%c%s", from, '\0', to);
    record('R', inode_of(to), 0, names, (uint64_t)length);
}
int rename(const char* from, const char* to) {
    AFTER(REAL(rename)(from, to), result == 0 && within(to), record_rename(from, to));
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
    AFTER(REAL(renameat)(from_folder, from, to_folder, to), result == 0 && within(to), record_rename(from, to));
}

int unlink(const char* path) {
    AFTER(REAL(unlink)(path), result == 0 && within(path), record('U', 0, 0, path, strlen(path)));
}
int unlinkat(int at, const char* path, int flags) {
    AFTER(REAL(unlinkat)(at, path, flags), result == 0 && within(path), record('U', 0, 0, path, strlen(path)));
}
