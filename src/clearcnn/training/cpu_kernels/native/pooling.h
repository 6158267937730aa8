// Max and sum pooling of float32 images (n, height, width, channels), and their gradients.
#pragma once

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

// Each gives the same bits whatever the number of threads, and calls `finish` when it is done; the
// arrays have to stay until then. `places` has, for each output, the number of the tap that was
// taken: the first of the largest, in reading order.
void max_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, signed char* places, Task finish);
void max_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, const signed char* places, float* image,
                       Task finish);
void sum_pool(const Level& level, Threads& threads, Index images, const PoolShape& shape,
              const float* image, float* output, Task finish);
void sum_pool_gradient(const Level& level, Threads& threads, Index images, const PoolShape& shape,
                       const float* gradient, float* image, Task finish);

}  // namespace clearcnn
