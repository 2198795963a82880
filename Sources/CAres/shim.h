#pragma once

#include <ares.h>

/* Function-like macros, which Swift cannot call. */

static inline int cares_reads(int bits, int index) { return ARES_GETSOCK_READABLE(bits, index) != 0; }

static inline int cares_writes(int bits, int index) { return ARES_GETSOCK_WRITABLE(bits, index) != 0; }

/* Numbers of <arpa/nameser.h> and <netdb.h>, whose types the Glibc module has, too. */
enum { cares_class_internet = 1, cares_type_mx = 15 };
