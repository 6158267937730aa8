// Convolution of float32 images (n, height, width, channels) with a kernel (groups, height, width,
// channels / groups, filters / groups), and both its gradients.
#pragma once

#include "axis_plan.h"
#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

struct Convolution {
  Index images, channels, filters;
  AxisShape rows, columns;
  Index groups = 1;  // Each has its part of the channels, of the filters, and its own kernel.

  Index image_size() const { return rows.image * columns.image * channels; }
  Index output_size() const { return rows.output * columns.output * filters; }
  Index kernel_size() const { return groups * group_kernel_size(); }
  Index group_channels() const { return channels / groups; }
  Index group_filters() const { return filters / groups; }
  Index group_kernel_size() const {
    return rows.kernel * columns.kernel * group_channels() * group_filters();
  }
  // Multiplications, as if there were no padding.
  double work() const;
};

// Each may run on several threads, and gives the same bits whatever their number. It may return
// before it is done: `finish` is called when it is, and the arrays have to stay until then.
void convolve(const Level& level, Threads& threads, const Convolution& shape, const float* image,
              const float* kernel, float* output, Task finish);
void image_gradient(const Level& level, Threads& threads, const Convolution& shape,
                    const float* gradient, const float* kernel, float* image, Task finish);
void kernel_gradient(const Level& level, Threads& threads, const Convolution& shape,
                     const float* image, const float* gradient, float* kernel, Task finish);

// Gives the gradients of the outputs of images [begin, end), perhaps made in `scratch`, and adds
// their sums over all pixels to `bias`.
using Gradients = std::function<const float*(Index begin, Index end, float* scratch, float* bias)>;

// As above, with gradients that are made when they are needed, in `scratch` numbers for each image,
// and the gradient of a bias.
void kernel_gradient(const Level& level, Threads& threads, const Convolution& shape,
                     const float* image, Gradients gradients, Index scratch, float* kernel,
                     float* bias, Task finish);

// As many parts as repay what sharing them out costs, and at most `most`.
int choose_parts(double work, Index most);

// Parts of a batch, as large as the cache allows; each output is summed alone, so that its bits
// do not depend on them.
int choose_chunks(const Convolution& shape, int threads);

}  // namespace clearcnn
