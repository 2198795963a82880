#pragma once
/* prctl takes a variable number of arguments, which Swift cannot pass. */
#include <sys/prctl.h>

static inline int cprocess_set_dumpable(int is_dumpable) { return prctl(PR_SET_DUMPABLE, is_dumpable, 0, 0, 0); }
static inline int cprocess_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

/* glibc hides these behind _GNU_SOURCE. */
#include <fcntl.h>
#include <sys/socket.h>
extern int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int ends[2], int flags);

static inline int cprocess_accept(int listener) { return accept4(listener, 0, 0, SOCK_CLOEXEC); }
static inline int cprocess_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }
