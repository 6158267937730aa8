// Depthwise convolution of float32 images (n, height, width, channels) with a kernel (height, width,
// channels), and both its gradients.
#pragma once

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

struct Depthwise {
  Index images, channels;
  AxisShape rows, columns;

  Index image_size() const { return rows.image * columns.image * channels; }
  Index output_size() const { return rows.output * columns.output * channels; }
  Index kernel_size() const { return rows.kernel * columns.kernel * channels; }
};

// Each gives the same bits whatever the number of threads, and calls `finish` when it is done; the
// arrays have to stay until then.
void convolve_depthwise(const Level& level, Threads& threads, const Depthwise& shape,
                        const float* image, const float* kernel, float* output, Task finish);
void depthwise_image_gradient(const Level& level, Threads& threads, const Depthwise& shape,
                              const float* gradient, const float* kernel, float* image,
                              Task finish);
void depthwise_kernel_gradient(const Level& level, Threads& threads, const Depthwise& shape,
                               const float* image, const float* gradient, float* kernel,
                               Task finish);

}  // namespace clearcnn
