// The products of a convolution or of its image's gradient, for any number of images.
#pragma once

#include <vector>

#include "convolution.h"

namespace clearcnn {

// One of the two arrays of a convolution, (images, rows, columns, channels).
struct Side {
  Index columns, channels, group_channels, size;
};

// All that the threads need besides the arrays, made before they begin: they allocate nothing.
class Products {
 public:
  // From images to outputs; `transposed`, from the gradients of outputs to those of images.
  Products(const Level& level, const Convolution& shape, const float* kernel, bool transposed);
  void multiply(Index images, const float* input, float* output) const;
  Index input_size() const { return from_.size; }
  Index output_size() const { return to_.size; }

 private:
  // Pixels of one image that read the same taps.
  struct Part {
    std::vector<Run> runs;
    Tile tile;
    Index from, to;  // Where its first pixel reads and writes.
  };

  void plan_parts(const Convolution& shape, const std::vector<Segment>& rows,
                  const std::vector<Segment>& columns);
  void pack_kernels(const Convolution& shape, const float* kernel, bool transposed);

  const Level& level_;
  Index groups_;
  Side from_, to_;
  std::vector<Part> parts_;
  std::vector<float> packed_;  // The kernels of all groups.
};

}  // namespace clearcnn
