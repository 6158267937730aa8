#include "pooling.h"

#include <algorithm>
#include <utility>

namespace clearcnn {
namespace {

// Numbers below which one thread is done before another has woken up, and the most parts.
constexpr Index kNumbersOfPart = 1 << 15, kMostParts = 32;

// Calls work(number of an image) for all of them, several at once.
template <typename Work>
void for_each_image(Threads& threads, Index images, const PoolShape& shape, Work work,
                    Task finish) {
  const Index numbers = images * (shape.image_size() + shape.output_size());
  const Index most = std::max<Index>(1, std::min(images, kMostParts));
  const int parts = static_cast<int>(std::clamp<Index>(numbers / kNumbersOfPart, 1, most));
  for_each_part(
      threads, parts,
      [=](int part) {
        for (Index n = images * part / parts; n < images * (part + 1) / parts; n++) work(n);
      },
      std::move(finish));
}

}  // namespace

void max_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, signed char* places, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, shape,
      [=, &level](Index n) {
        level.pool_max(shape, image + n * from, output + n * to, places + n * to);
      },
      std::move(finish));
}

void max_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, const signed char* places, float* image,
                       Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, shape,
      [=, &level](Index n) {
        level.pool_max_gradient(shape, gradient + n * to, places + n * to, image + n * from);
      },
      std::move(finish));
}

void sum_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, shape,
      [=, &level](Index n) { level.pool_sum(shape, image + n * from, output + n * to); },
      std::move(finish));
}

void sum_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, float* image, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, shape,
      [=, &level](Index n) {
        level.pool_sum_gradient(shape, gradient + n * to, image + n * from);
      },
      std::move(finish));
}

}  // namespace clearcnn
