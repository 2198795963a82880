#pragma once

#include <png.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

/* libpng's simplified interface: it catches its own errors and needs no setjmp on the side of Swift. */

static inline void cpng_message(char *message, size_t size, const png_image *image) {
    strncpy(message, image->message, size - 1);
    message[size - 1] = 0;
}

/* Width and height of a PNG; 0 with a message when it is none. */
static inline int cpng_size(const void *data, size_t count, uint32_t *width, uint32_t *height, char *message, size_t size) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, data, count)) {
        cpng_message(message, size, &image);
        return 0;
    }
    *width = image.width;
    *height = image.height;
    png_image_free(&image);
    return 1;
}

/* Its pixels in RGB of eight bits on white, row by row; 0 with a message when it is damaged. */
static inline int cpng_pixels(const void *data, size_t count, uint8_t *pixels, char *message, size_t size) {
    png_image image;
    png_color white = {255, 255, 255};
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, data, count)) {
        cpng_message(message, size, &image);
        return 0;
    }
    image.format = PNG_FORMAT_RGB;
    if (!png_image_finish_read(&image, &white, pixels, 0, NULL)) {
        cpng_message(message, size, &image);
        return 0;
    }
    return 1;
}
