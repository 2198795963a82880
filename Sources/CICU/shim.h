#pragma once

#include <unicode/unorm2.h>
#include <unicode/uspoof.h>

/* ICU's functions are macros with the version in their names, which are not visible in Swift. Each answers with the length
   that its result needs, or with -1. */

static inline const UNormalizer2 *cicu_nfkc_casefold(void) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normaliser = unorm2_getNFKCCasefoldInstance(&status);
    return U_SUCCESS(status) ? normaliser : NULL;
}

static inline int32_t cicu_normalise(
    const UNormalizer2 *normaliser, const UChar *text, int32_t length, UChar *target, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t needed = unorm2_normalize(normaliser, text, length, target, capacity, &status);
    return U_SUCCESS(status) || status == U_BUFFER_OVERFLOW_ERROR ? needed : -1;
}

static inline USpoofChecker *cicu_open_checker(void) {
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker *checker = uspoof_open(&status);
    return U_SUCCESS(status) ? checker : NULL;
}

static inline int32_t cicu_skeleton(
    const USpoofChecker *checker, const UChar *text, int32_t length, UChar *target, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t needed = uspoof_getSkeleton(checker, 0, text, length, target, capacity, &status);
    return U_SUCCESS(status) || status == U_BUFFER_OVERFLOW_ERROR ? needed : -1;
}
