#pragma once

/* Debian's libxml2 is built with ICU, whose headers collide with the ones inside Foundation. Without this macro only
   trailing fields of xmlCharEncodingHandler disappear, and those are never read here. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
