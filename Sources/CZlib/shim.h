#pragma once

#include <zlib.h>

/* Function-like macros, which Swift cannot call. Neither writes nor reads a header: the octets are raw deflate. */

static inline int czlib_begin_deflate(z_stream *stream) {
    return deflateInit2(stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

static inline int czlib_begin_inflate(z_stream *stream) { return inflateInit2(stream, -15); }
