#pragma once
/* prctl takes a variable number of arguments, which Swift cannot pass. */
#include <sys/prctl.h>

static inline int cprocess_set_dumpable(int is_dumpable) { return prctl(PR_SET_DUMPABLE, is_dumpable, 0, 0, 0); }
static inline int cprocess_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

/* Of the calling thread; the system keeps the first 15 octets. */
static inline void cprocess_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* glibc hides these behind _GNU_SOURCE. Few headers on purpose: a type that the Glibc module brings too would belong to
   this one. The flags are O_CLOEXEC and O_NONBLOCK, of which SOCK_CLOEXEC has the value (asm-generic/fcntl.h). */
struct sockaddr;
extern int accept4(int listener, struct sockaddr *address, unsigned int *length, int flags);
extern int pipe2(int ends[2], int flags);
enum { cprocess_close_on_exec = 02000000, cprocess_non_blocking = 04000 };

static inline int cprocess_accept(int listener) { return accept4(listener, 0, 0, cprocess_close_on_exec); }
static inline int cprocess_pipe(int ends[2]) { return pipe2(ends, cprocess_close_on_exec | cprocess_non_blocking); }
static inline int cprocess_blocking_pipe(int ends[2]) { return pipe2(ends, cprocess_close_on_exec); }

/* Takes a posix_spawn_file_actions_t. */
extern int cprocess_spawn_in_directory(void *actions, const char *path) __asm__("posix_spawn_file_actions_addchdir_np");
