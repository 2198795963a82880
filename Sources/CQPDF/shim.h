#pragma once

#include <qpdf/qpdf-c.h>
#include <stdlib.h>

/* Macros made of an expression are not visible in Swift. */
static const QPDF_ERROR_CODE cqpdf_errors = QPDF_ERRORS;

/* What qpdf_oh_get_stream_data allocated. */
static inline void cqpdf_free(unsigned char *memory) { free(memory); }
