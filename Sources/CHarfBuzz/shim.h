#pragma once

#include <hb-ot.h>
#include <hb-subset.h>
#include <hb.h>

/* Macros made of an expression are not visible in Swift. */
static const hb_codepoint_t charfbuzz_no_glyph = HB_MAP_VALUE_INVALID;
static const hb_tag_t charfbuzz_head = HB_TAG('h', 'e', 'a', 'd');
static const hb_tag_t charfbuzz_cff = HB_TAG('C', 'F', 'F', ' ');
static const hb_tag_t charfbuzz_glyf = HB_TAG('g', 'l', 'y', 'f');
static const hb_tag_t charfbuzz_os2 = HB_TAG('O', 'S', '/', '2');
