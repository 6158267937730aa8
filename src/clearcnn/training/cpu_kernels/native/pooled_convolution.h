// A convolution, a bias, ReLU and max pooling in one pass, and the gradients: what the convolution
// gives, and its gradient, are never in memory for more than a few images, which caches hold.
#pragma once

#include "convolution.h"

namespace clearcnn {

struct PooledConvolution {
  Convolution convolution;
  PoolShape pool;  // Of what the convolution gives.
  bool relu;

  Index pooled_size() const { return pool.output_size(); }
};

// As convolution.h says. `places` has, for each pooled number, the tap that was taken, or -1 where
// the gradient is zero.
void convolve_pooled(const Level& level, Threads& threads, const PooledConvolution& shape,
                     const float* image, const float* kernel, const float* bias, float* pooled,
                     signed char* places, Task finish);
void pooled_image_gradient(const Level& level, Threads& threads, const PooledConvolution& shape,
                           const float* gradient, const signed char* places, const float* kernel,
                           float* image, Task finish);
void pooled_kernel_gradient(const Level& level, Threads& threads, const PooledConvolution& shape,
                            const float* image, const float* gradient, const signed char* places,
                            float* kernel, float* bias, Task finish);

}  // namespace clearcnn
