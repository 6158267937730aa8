// Batch normalization once its statistics are known: scale, shift, activation and pooling at once.
#pragma once

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

// Of float32 images (n, rows, columns, channels): the largest of activation(image * scale + shift)
// in each window; `taken` gets the image's number behind it, unless windows are single pixels. The
// same bits whatever the number of threads; `finish` is called when it is done.
void normalize_images(const Level& level, Threads& threads, Index images, const ScaledRows& scaled,
                      const Windows& windows, const float* image, float* output, float* taken,
                      Task finish);

// The image's gradient: image * slope + constant, and the gradient of what was taken where it was.
// For single pixels, `taken` is the image. Zero for images from number `counted` on.
void normalize_images_gradient(const Level& level, Threads& threads, Index images, Index counted,
                               const ScaledRows& scaled, const Windows& windows,
                               const float* slope, const float* constant, const float* image,
                               const float* taken, const float* gradient, float* result,
                               Task finish);

}  // namespace clearcnn
