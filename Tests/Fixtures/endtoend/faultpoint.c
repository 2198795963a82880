/* Loaded before libc into a program under test: numbers every call that changes a file, in one order for all threads, and
   ends or fails the program at a chosen one. A debugger's counters go by thread, so they cannot name one point of a
   program that works on several.

   FAULTPOINT_PROGRAM  the name (comm) of the program to act in; others load this without effect
   FAULTPOINT_LOG      a file that gets one line a call: NUMBER NAME PATH [PATH]
   FAULTPOINT_AT       the number to act at; none: only log
   FAULTPOINT_ACTION   "before" or "after": SIGKILL then; a number: fail with that errno; "short": write only half
   FAULTPOINT_ALL      set: calls that look or lock, and change nothing, are numbered too

   A fault that lasts, whatever the number of the call:
   FAULTPOINT_CALL     the name of the calls that fail, or *
   FAULTPOINT_PATH     what their path (or the other path of a rename or link) contains; none: any
   FAULTPOINT_ERRNO    with what they fail
   FAULTPOINT_SWITCH   a file: the fault lasts while its first octet is '1'

   FAULTPOINT_NAME     a host name whose address has no end of being looked up

   FAULTPOINT_TRACE    a file that gets each change that was made, in order, with what was written: from it a test works out
                       what a power loss may leave. A line TIME OP INODE A B LENGTH PATH PATH, fields between tabs (TIME in
                       monotonic nanoseconds, before the call), then LENGTH octets and a line feed. OP: c create (A flags,
                       B mode), d mkdir (B mode), w write (A offset), t truncate (A size), a allocate (A end, B mode),
                       m chmod (B mode), r rename, l link, u unlink, x rmdir, s fsync

   FAULTPOINT_CLOCK    a file of 8 octets, a number in the machine's order: the seconds by which the time of day is shifted */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_int counter;
static int chosen, error_number, log_descriptor = -1, is_active, is_after, is_short, numbers_all;
static const char *faulty_call, *faulty_path, *hanging_name;
static int lasting_error;
static const volatile char *lasting_switch;
static const volatile int64_t *clock_shift;
static int trace_descriptor = -1;
static pthread_mutex_t trace_order = PTHREAD_MUTEX_INITIALIZER;

static const volatile void *shared(const char *path, size_t length) {
    if (path == NULL) return NULL;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return NULL;
    void *address = mmap(NULL, length, PROT_READ, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    return address == MAP_FAILED ? NULL : address;
}

__attribute__((constructor)) static void prepare(void) {
    char comm[32] = "";
    const char *wanted = getenv("FAULTPOINT_PROGRAM"), *action = getenv("FAULTPOINT_ACTION");
    int descriptor = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? 0 : read(descriptor, comm, sizeof comm - 1);
    close(descriptor);
    if (length <= 0 || wanted == NULL) return;
    comm[strcspn(comm, "\n")] = 0;
    if (strcmp(comm, wanted) != 0) return;
    if (getenv("FAULTPOINT_LOG"))
        log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULTPOINT_LOG"),
                                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (getenv("FAULTPOINT_TRACE"))
        trace_descriptor = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULTPOINT_TRACE"),
                                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    chosen = getenv("FAULTPOINT_AT") ? atoi(getenv("FAULTPOINT_AT")) : 0;
    is_after = action && strcmp(action, "after") == 0;
    error_number = action ? atoi(action) : 0;
    is_short = action && strcmp(action, "short") == 0;
    numbers_all = getenv("FAULTPOINT_ALL") != NULL;
    faulty_call = getenv("FAULTPOINT_CALL");
    faulty_path = getenv("FAULTPOINT_PATH");
    hanging_name = getenv("FAULTPOINT_NAME");
    lasting_error = getenv("FAULTPOINT_ERRNO") ? atoi(getenv("FAULTPOINT_ERRNO")) : 0;
    lasting_switch = shared(getenv("FAULTPOINT_SWITCH"), 1);
    clock_shift = shared(getenv("FAULTPOINT_CLOCK"), sizeof *clock_shift);
    is_active = 1;
}

static void resolve(int directory, const char *path, char out[PATH_MAX * 2]) {
    char link[64], base[PATH_MAX] = "";
    if (path && path[0] == '/') { snprintf(out, PATH_MAX * 2, "%s", path); return; }
    if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, base, sizeof base - 1);
    base[length < 0 ? 0 : length] = 0;
    if (path && path[0]) snprintf(out, PATH_MAX * 2, "%s/%s", base, path);
    else snprintf(out, PATH_MAX * 2, "%s", base);
}

/* Whether the fault that lasts meets this call. */
static int is_faulty(const char *name, const char *first, const char *second) {
    if (lasting_switch == NULL || *lasting_switch != '1' || faulty_call == NULL) return 0;
    if (strcmp(faulty_call, "*") != 0 && strcmp(faulty_call, name) != 0) return 0;
    return faulty_path == NULL || strstr(first, faulty_path) || strstr(second, faulty_path);
}

static int pass(const char *name, int directory, const char *path, int other_directory, const char *other, int changes);

/* Returns this call's number, or -1 when it must fail (errno is set). */
static int enter(const char *name, int directory, const char *path, int other_directory, const char *other) {
    return pass(name, directory, path, other_directory, other, 1);
}
/* The same, for a call that changes nothing. */
static int look(const char *name, int directory, const char *path) {
    return pass(name, directory, path, 0, NULL, 0);
}

static int pass(const char *name, int directory, const char *path, int other_directory, const char *other, int changes) {
    static __thread char first[PATH_MAX * 2], second[PATH_MAX * 2], line[PATH_MAX * 5];
    if (!is_active) return 0;
    int saved = errno, is_numbered = changes || numbers_all;
    int number = is_numbered ? atomic_fetch_add(&counter, 1) + 1 : 0;
    if (lasting_switch || (log_descriptor >= 0 && is_numbered)) {
        resolve(directory, path, first);
        second[0] = 0;
        if (other) resolve(other_directory, other, second);
    }
    if (is_faulty(name, first, second)) {
        errno = lasting_error;
        return -1;
    }
    if (log_descriptor >= 0 && is_numbered) {
        int length = snprintf(line, sizeof line, "%d\t%s\t%s\t%s\n", number, name, first, second);
        syscall(SYS_write, log_descriptor, line, (size_t)length);
    }
    if (number && number == chosen && !is_after && !is_short) {
        if (error_number == 0) kill(getpid(), SIGKILL);
        errno = error_number;
        return -1;
    }
    errno = saved;
    return number;
}

static void leave(int number) {
    if (is_active && is_after && number && number == chosen) kill(getpid(), SIGKILL);
}

static int is_regular(int descriptor) {
    struct stat facts;
    int saved = errno, regular = fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
    errno = saved;
    return regular;
}

/* While a trace is made, one change at a time, so that the trace has them in the order in which they were made. */
static int64_t trace_begin(void) {
    if (trace_descriptor < 0) return 0;
    pthread_mutex_lock(&trace_order);
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
static void trace_end(void) {
    if (trace_descriptor >= 0) pthread_mutex_unlock(&trace_order);
}
static void all_of(const char *octets, size_t count) {
    while (count > 0) {
        long written = syscall(SYS_write, trace_descriptor, octets, count);
        if (written <= 0) abort();
        octets += written;
        count -= (size_t)written;
    }
}
static long long inode_of(int directory, const char *path, int flags) {
    struct stat facts;
    return syscall(SYS_newfstatat, directory, path, &facts, flags) == 0 ? (long long)facts.st_ino : 0;
}
static void trace(int64_t time, char op, long long inode, long long a, long long b, int directory, const char *path,
                  int other_directory, const char *other, const void *octets, size_t count) {
    static char first[PATH_MAX * 2], second[PATH_MAX * 2], line[PATH_MAX * 5];
    if (trace_descriptor < 0 || !is_active) return;
    int saved = errno;
    first[0] = second[0] = 0;
    if (path) resolve(directory, path, first);
    if (other) resolve(other_directory, other, second);
    int length = snprintf(line, sizeof line, "%lld\t%c\t%lld\t%lld\t%lld\t%zu\t%s\t%s\n", (long long)time, op, inode, a,
                          b, count, first, second);
    all_of(line, (size_t)length);
    all_of(octets, count);
    all_of("\n", 1);
    errno = saved;
}
static void trace_write(int64_t time, int descriptor, const void *octets, size_t count, off_t offset) {
    if (trace_descriptor < 0 || !is_active || !is_regular(descriptor)) return;
    trace(time, 'w', inode_of(descriptor, "", AT_EMPTY_PATH), offset, 0, 0, NULL, 0, NULL, octets, count);
}
/* Where a write that is over began. */
static off_t begun(int descriptor, ssize_t count) {
    int saved = errno;
    off_t end = lseek(descriptor, 0, SEEK_CUR);
    errno = saved;
    return end - count;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define NOTED(type, number, call, ...) \
    if (number < 0) return -1; \
    int64_t time = trace_begin(); \
    type result = call; \
    if (result != -1) { __VA_ARGS__; } \
    trace_end(); \
    leave(number); \
    return result
#define CALL(type, number, call) \
    if (number < 0) return -1; \
    type result = call; \
    leave(number); \
    return result

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    int number = enter("rename", AT_FDCWD, from, AT_FDCWD, to);
    NOTED(int, number, real(from, to), trace(time, 'r', 0, 0, 0, AT_FDCWD, from, AT_FDCWD, to, NULL, 0));
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    int number = enter("rename", a, from, b, to);
    NOTED(int, number, real(a, from, b, to), trace(time, 'r', 0, 0, 0, a, from, b, to, NULL, 0));
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    int number = enter("rename", a, from, b, to);
    NOTED(int, number, real(a, from, b, to, flags), trace(time, 'r', 0, flags, 0, a, from, b, to, NULL, 0));
}
int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    int number = enter("link", AT_FDCWD, from, AT_FDCWD, to);
    NOTED(int, number, real(from, to), trace(time, 'l', 0, 0, 0, AT_FDCWD, from, AT_FDCWD, to, NULL, 0));
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    int number = enter("link", a, from, b, to);
    NOTED(int, number, real(a, from, b, to, flags), trace(time, 'l', 0, flags, 0, a, from, b, to, NULL, 0));
}
int unlink(const char *path) {
    REAL(int, unlink, const char *);
    int number = enter("unlink", AT_FDCWD, path, 0, NULL);
    NOTED(int, number, real(path), trace(time, 'u', 0, 0, 0, AT_FDCWD, path, 0, NULL, NULL, 0));
}
int unlinkat(int a, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    int number = enter(flags & AT_REMOVEDIR ? "rmdir" : "unlink", a, path, 0, NULL);
    NOTED(int, number, real(a, path, flags),
          trace(time, flags & AT_REMOVEDIR ? 'x' : 'u', 0, 0, 0, a, path, 0, NULL, NULL, 0));
}
int rmdir(const char *path) {
    REAL(int, rmdir, const char *);
    int number = enter("rmdir", AT_FDCWD, path, 0, NULL);
    NOTED(int, number, real(path), trace(time, 'x', 0, 0, 0, AT_FDCWD, path, 0, NULL, NULL, 0));
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    int number = enter("mkdir", AT_FDCWD, path, 0, NULL);
    NOTED(int, number, real(path, mode),
          trace(time, 'd', inode_of(AT_FDCWD, path, 0), 0, mode, AT_FDCWD, path, 0, NULL, NULL, 0));
}
int mkdirat(int a, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    int number = enter("mkdir", a, path, 0, NULL);
    NOTED(int, number, real(a, path, mode),
          trace(time, 'd', inode_of(a, path, 0), 0, mode, a, path, 0, NULL, NULL, 0));
}

#define MODE(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
#define OPEN(name) \
int name(const char *path, int flags, ...) { \
    REAL(int, name, const char *, int, ...); \
    MODE(flags) \
    int number = flags & O_CREAT ? enter("create", AT_FDCWD, path, 0, NULL) : look("open", AT_FDCWD, path); \
    NOTED(int, number, real(path, flags, mode), if (flags & (O_CREAT | O_TRUNC)) \
          trace(time, 'c', inode_of(result, "", AT_EMPTY_PATH), flags, mode, AT_FDCWD, path, 0, NULL, NULL, 0)); \
}
#define OPENAT(name) \
int name(int a, const char *path, int flags, ...) { \
    REAL(int, name, int, const char *, int, ...); \
    MODE(flags) \
    int number = flags & O_CREAT ? enter("create", a, path, 0, NULL) : look("open", a, path); \
    NOTED(int, number, real(a, path, flags, mode), if (flags & (O_CREAT | O_TRUNC)) \
          trace(time, 'c', inode_of(result, "", AT_EMPTY_PATH), flags, mode, a, path, 0, NULL, NULL, 0)); \
}
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int descriptor, const void *octets, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    int number = is_active && is_regular(descriptor) ? enter("write", descriptor, "", 0, NULL) : 0;
    if (is_short && number && number == chosen && count > 1) count /= 2;
    NOTED(ssize_t, number, real(descriptor, octets, count),
          trace_write(time, descriptor, octets, (size_t)result, begun(descriptor, result)));
}
ssize_t pwrite(int descriptor, const void *octets, size_t count, off_t offset) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    int number = is_active && is_regular(descriptor) ? enter("write", descriptor, "", 0, NULL) : 0;
    NOTED(ssize_t, number, real(descriptor, octets, count, offset),
          trace_write(time, descriptor, octets, (size_t)result, offset));
}
ssize_t writev(int descriptor, const struct iovec *vectors, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    int number = is_active && is_regular(descriptor) ? enter("write", descriptor, "", 0, NULL) : 0;
    NOTED(ssize_t, number, real(descriptor, vectors, count), {
        off_t offset = begun(descriptor, result);
        size_t rest = (size_t)result;
        for (int index = 0; index < count && rest > 0; index++) {
            size_t part = vectors[index].iov_len < rest ? vectors[index].iov_len : rest;
            trace_write(time, descriptor, vectors[index].iov_base, part, offset);
            offset += (off_t)part;
            rest -= part;
        }
    });
}
int fsync(int descriptor) {
    REAL(int, fsync, int);
    int number = enter("fsync", descriptor, "", 0, NULL);
    NOTED(int, number, real(descriptor),
          trace(time, 's', inode_of(descriptor, "", AT_EMPTY_PATH), 0, 0, descriptor, "", 0, NULL, NULL, 0));
}
int fdatasync(int descriptor) {
    REAL(int, fdatasync, int);
    int number = enter("fsync", descriptor, "", 0, NULL);
    NOTED(int, number, real(descriptor),
          trace(time, 's', inode_of(descriptor, "", AT_EMPTY_PATH), 0, 0, descriptor, "", 0, NULL, NULL, 0));
}

int ftruncate(int descriptor, off_t size) {
    REAL(int, ftruncate, int, off_t);
    int number = enter("truncate", descriptor, "", 0, NULL);
    NOTED(int, number, real(descriptor, size),
          trace(time, 't', inode_of(descriptor, "", AT_EMPTY_PATH), size, 0, 0, NULL, 0, NULL, NULL, 0));
}
int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    REAL(int, fallocate, int, int, off_t, off_t);
    int number = enter("allocate", descriptor, "", 0, NULL);
    NOTED(int, number, real(descriptor, mode, offset, length),
          trace(time, 'a', inode_of(descriptor, "", AT_EMPTY_PATH), offset + length, mode, 0, NULL, 0, NULL, NULL, 0));
}
int fchmod(int descriptor, mode_t mode) {
    REAL(int, fchmod, int, mode_t);
    int number = enter("chmod", descriptor, "", 0, NULL);
    NOTED(int, number, real(descriptor, mode),
          trace(time, 'm', inode_of(descriptor, "", AT_EMPTY_PATH), 0, mode, 0, NULL, 0, NULL, NULL, 0));
}
int fchown(int descriptor, uid_t user, gid_t group) {
    REAL(int, fchown, int, uid_t, gid_t);
    int number = enter("chown", descriptor, "", 0, NULL);
    CALL(int, number, real(descriptor, user, group));
}

/* Calls that change nothing. */
int flock(int descriptor, int operation) {
    REAL(int, flock, int, int);
    int number = look("lock", descriptor, "");
    CALL(int, number, real(descriptor, operation));
}
int fstatat(int a, const char *restrict path, struct stat *restrict facts, int flags) {
    REAL(int, fstatat, int, const char *, struct stat *, int);
    int number = look("stat", a, path);
    CALL(int, number, real(a, path, facts, flags));
}
int faccessat(int a, const char *path, int mode, int flags) {
    REAL(int, faccessat, int, const char *, int, int);
    int number = look("access", a, path);
    CALL(int, number, real(a, path, mode, flags));
}
ssize_t read(int descriptor, void *octets, size_t count) {
    REAL(ssize_t, read, int, void *, size_t);
    int number = is_active && is_regular(descriptor) ? look("read", descriptor, "") : 0;
    CALL(ssize_t, number, real(descriptor, octets, count));
}

int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict result) {
    REAL(int, getaddrinfo, const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (is_active && hanging_name && node && strcmp(node, hanging_name) == 0) while (1) sleep(3600);
    return real(node, service, hints, result);
}

/* Calls that want a descriptor and have no path. */
int socket(int domain, int type, int protocol) {
    REAL(int, socket, int, int, int);
    int number = look("socket", AT_FDCWD, "");
    CALL(int, number, real(domain, type, protocol));
}
iconv_t iconv_open(const char *to, const char *from) {
    REAL(iconv_t, iconv_open, const char *, const char *);
    if (look("iconv", AT_FDCWD, from) < 0) return (iconv_t)-1;
    return real(to, from);
}

/* The time of day, shifted. */
static int64_t shift(void) { return is_active && clock_shift ? *clock_shift : 0; }

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += shift();
    return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    REAL(int, gettimeofday, struct timeval *, void *);
    int result = real(time, zone);
    if (result == 0) time->tv_sec += shift();
    return result;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
