#pragma once

#include <stddef.h>

#include <fontconfig/fontconfig.h>

/* FcPatternBuild and FcObjectSetBuild are variadic, which Swift cannot call. */

/* The fonts with outlines that have a glyph for `scalar`; NULL when there is no memory. */
static inline FcFontSet *cfontconfig_fonts(FcConfig *config, FcChar32 scalar) {
    FcFontSet *fonts = NULL;
    FcCharSet *characters = FcCharSetCreate();
    FcPattern *pattern = FcPatternCreate();
    FcObjectSet *wanted = FcObjectSetBuild(FC_FILE, FC_INDEX, FC_WEIGHT, FC_SLANT, FC_FAMILY, FC_SPACING, FC_FONTFORMAT,
                                           (char *)0);
    if (characters && pattern && wanted && FcCharSetAddChar(characters, scalar) &&
        FcPatternAddCharSet(pattern, FC_CHARSET, characters) &&
        FcPatternAddBool(pattern, FC_SCALABLE, FcTrue) && FcPatternAddBool(pattern, FC_VARIABLE, FcFalse)) {
        fonts = FcFontList(config, pattern, wanted);
    }
    if (wanted) FcObjectSetDestroy(wanted);
    if (pattern) FcPatternDestroy(pattern);
    if (characters) FcCharSetDestroy(characters);
    return fonts;
}

static inline const char *cfontconfig_string(FcPattern *font, const char *key) {
    FcChar8 *text = NULL;
    return FcPatternGetString(font, key, 0, &text) == FcResultMatch ? (const char *)text : NULL;
}

static inline int cfontconfig_integer(FcPattern *font, const char *key, int otherwise) {
    int value = otherwise;
    return FcPatternGetInteger(font, key, 0, &value) == FcResultMatch ? value : otherwise;
}
