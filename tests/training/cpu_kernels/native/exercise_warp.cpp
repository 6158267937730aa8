// Draws images and matrices, some of them far away or NaN, and holds the kernel to what is written
// down plainly.
#include "exercise.h"
#include "warp.h"

namespace clearcnn {
namespace {

constexpr int kMost = 255;  // No pixel is larger, nor less than zero.

Index clip(double position, Index last) {
  return position > 0 ? std::min(static_cast<Index>(position), last) : 0;
}

// Reads `image` (height, width, channels) between four pixels, in double.
double read_plainly(const WarpShape& shape, const float* image, double y, double x, Index c) {
  const auto pixel = [&](Index row, Index column) -> double {
    if (shape.fills && (row < 0 || row >= shape.height || column < 0 || column >= shape.width)) {
      return shape.fill;
    }
    row = clip(static_cast<double>(row), shape.height - 1);
    column = clip(static_cast<double>(column), shape.width - 1);
    return image[(row * shape.width + column) * shape.channels + c];
  };
  y = std::clamp(y, -1.0, static_cast<double>(shape.height));
  x = std::clamp(x, -1.0, static_cast<double>(shape.width));
  const Index top = static_cast<Index>(std::floor(y)), left = static_cast<Index>(std::floor(x));
  const double down = y - top, right = x - left;
  return (pixel(top, left) * (1 - right) + pixel(top, left + 1) * right) * (1 - down) +
         (pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right) * down;
}

}  // namespace

void exercise_warp() {
  // A row of more than 64 pixels is read in pieces.
  const Index width = draw(0, 7) ? draw(1, 9) : draw(63, 130);
  const WarpShape shape = {draw(1, 9), width, draw_width(), draw(0, 1) == 1, 3.5f};
  const Index images = draw(0, 3) ? draw(0, 4) : draw(20, 40), size = shape.size();
  const Numbers matrices = draw_numbers(6 * images), lights = draw_numbers(2 * images);
  const bool is_lit = draw(0, 1) == 1;
  const std::unique_ptr<unsigned char[]> bytes(new unsigned char[images * size]);
  const Numbers image(new float[images * size]);
  for (Index i = 0; i < images * size; i++) {
    bytes[i] = static_cast<unsigned char>(draw(0, kMost));
    image[i] = bytes[i];
  }
  std::vector<double> wanted(images * size), limits(images * size);
  for (Index n = 0; n < images; n++) {
    const float* m = matrices.get() + 6 * n;
    double *to = wanted.data() + n * size, *limit = limits.data() + n * size;
    double sum = 0, sum_of_limits = 0;
    for (Index i = 0; i < size; i++) {
      const Index c = i % shape.channels, x = i / shape.channels % shape.width;
      const Index y = i / shape.channels / shape.width;
      to[i] = read_plainly(shape, image.get() + n * size, double(m[0]) * y + double(m[1]) * x + m[2],
                           double(m[3]) * y + double(m[4]) * x + m[5], c);
      // Five roundings of a position, each of at most the sum of its terms; from one pixel to the
      // next, the image changes by at most kMost.
      const double terms = (std::abs(m[0]) + std::abs(m[3])) * y +
                           (std::abs(m[1]) + std::abs(m[4])) * x + std::abs(m[2]) + std::abs(m[5]);
      limit[i] = kRounding * kMost * (5 * (terms + 2) + 8);
      sum += to[i];
      sum_of_limits += limit[i];
    }
    for (Index i = 0; i < size && is_lit; i++) {
      const double mean = sum / size, contrast = lights[2 * n], shift = lights[2 * n + 1];
      to[i] = (to[i] - mean) * contrast + mean + shift;
      const double size_of_light = std::abs(contrast) + 1;
      limit[i] = limit[i] * std::abs(contrast) +
                 (sum_of_limits / size + limit_of_sum(kMost)) * size_of_light +
                 4 * kRounding * (kMost * size_of_light + std::abs(shift));
    }
  }
  const Warp job = {images, shape, matrices.get(), is_lit ? lights.get() : nullptr};
  for (const Level* level : available_levels()) {
    hold(*level, "warp of floats", wanted, limits,
         [&](Threads& threads, float* results, Task finish) {
           warp(*level, threads, job, image.get(), results, std::move(finish));
         });
    hold(*level, "warp of bytes", wanted, limits,
         [&](Threads& threads, float* results, Task finish) {
           warp(*level, threads, job, bytes.get(), results, std::move(finish));
         });
    // Whatever the numbers, nothing beside the images may be read; the sanitizers see to that.
    const Numbers wild = draw_numbers(6 * images), results(new float[images * size]);
    const float values[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f};
    for (Index i = 0; i < 6 * images; i++) {
      if (draw(0, 1)) wild[i] = values[draw(0, 4)];
    }
    OwnThreads one(1);
    warp(*level, one, {images, shape, wild.get(), nullptr}, bytes.get(), results.get(), [] {});
  }
}

}  // namespace clearcnn
