#include "normalize.h"

#include <algorithm>
#include <utility>

namespace clearcnn {

void normalize_images(const Level& level, Threads& threads, Index images, const ScaledRows& scaled,
                      const Windows& windows, const float* image, float* output, float* taken,
                      Task finish) {
  const Index from = windows.rows * windows.columns * scaled.channels;
  const Index to = windows.count() * scaled.channels;
  for_each_image(
      threads, images, from + to,
      [=, &level](Index n) {
        level.normalize(scaled, windows, image + n * from, output + n * to,
                        taken == nullptr ? nullptr : taken + n * to);
      },
      std::move(finish));
}

void normalize_images_gradient(const Level& level, Threads& threads, Index images, Index counted,
                               const ScaledRows& scaled, const Windows& windows,
                               const float* slope, const float* constant, const float* image,
                               const float* taken, const float* gradient, float* result,
                               Task finish) {
  const Index from = windows.rows * windows.columns * scaled.channels;
  const Index to = windows.count() * scaled.channels;
  for_each_image(
      threads, images, 2 * from + to,
      [=, &level](Index n) {
        if (n >= counted) {
          std::fill_n(result + n * from, from, 0.0f);
          return;
        }
        level.normalize_gradient(scaled, windows, slope, constant, image + n * from,
                                 taken + n * to, gradient + n * to, result + n * from);
      },
      std::move(finish));
}

}  // namespace clearcnn
