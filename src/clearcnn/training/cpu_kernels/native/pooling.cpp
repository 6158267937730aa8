#include "pooling.h"

#include <utility>

namespace clearcnn {
void max_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, signed char* places, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, from + to,
      [=, &level](Index n) {
        level.pool_max(shape, image + n * from, nullptr, false, output + n * to, places + n * to);
      },
      std::move(finish));
}

void max_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, const signed char* places, float* image,
                       Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, from + to,
      [=, &level](Index n) {
        level.pool_max_gradient(shape, gradient + n * to, places + n * to, image + n * from, nullptr);
      },
      std::move(finish));
}

void sum_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, from + to,
      [=, &level](Index n) { level.pool_sum(shape, image + n * from, output + n * to); },
      std::move(finish));
}

void sum_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, float* image, Task finish) {
  const Index from = shape.image_size(), to = shape.output_size();
  for_each_image(
      threads, images, from + to,
      [=, &level](Index n) {
        level.pool_sum_gradient(shape, gradient + n * to, image + n * from);
      },
      std::move(finish));
}

}  // namespace clearcnn
