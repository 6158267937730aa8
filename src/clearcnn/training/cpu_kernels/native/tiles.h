// What a level of instructions has to provide: products over a tile of pixels.
//
// A tile is a set of pixels, given by three axes (images, rows, columns), that all read the same
// taps of the kernel. So padding needs no copy of the image: a pixel at its edge belongs to another
// tile, of fewer taps.
//
// This header and the files compiled for each level use no inline functions of the standard
// library: the linker keeps one copy of those, which might be the one for a newer processor.
#pragma once

namespace clearcnn {

using Index = long long;  // Counts float32 numbers, never bytes.

// One axis of a convolution or pooling.
struct AxisShape {
  Index image, output, kernel, stride, dilation;
  Index padding;  // Before the first pixel; less than zero leaves pixels out.
};

// How far the two arrays of a tile move from one pixel to the next along an axis.
struct Axis {
  Index count;
  Index from_step;  // In what is read.
  Index to_step;    // In what is written; in the gradient, for the kernel's gradient.
};

// Numbers that lie side by side, both in a pixel's window and in the rows of the packed kernel.
struct Run {
  Index from;    // Offset from the first number of the pixel's window.
  Index row;     // First row of the packed kernel.
  Index length;  // Numbers, and rows.
};

struct Tile {
  Axis axes[3];
  const Run* runs;
  Index num_runs;
  Index rows;     // Of the packed kernel.
  Index columns;  // Of the packed kernel: channels that are written for each pixel.
};

// A kernel (height, width, channels, filters) as rows for each number of a window.
struct KernelShape {
  Index height, width, channels, filters;
  bool transposed;  // Turned by 180 degrees and with filters for channels: for the image's gradient.
};

struct Walk {
  Axis axes[3];
  Index rows;     // Of the kernel's gradient: numbers side by side in the image.
  Index columns;  // Of the kernel's gradient: filters.
};

enum class Activation : int { linear, relu, gelu, tanh_gelu };

// Rows of channels, each channel scaled and shifted and then put through an activation.
struct ScaledRows {
  Index channels;
  const float* scale;
  const float* shift;
  Activation activation;
};

// An image parted into windows that do not overlap; what is beside the last whole one is left out.
struct Windows {
  Index rows, columns;  // Of the image.
  Index height, width;
  Index count() const { return (rows / height) * (columns / width); }
};

struct PoolShape {
  Index channels;
  AxisShape rows, columns;  // Without dilation.
  Index image_size() const { return rows.image * columns.image * channels; }
  Index output_size() const { return rows.output * columns.output * channels; }
};

// An image that is changed by a matrix; where it is read from outside, it gives its edge or `fill`.
struct WarpShape {
  Index height, width, channels;
  bool fills;
  float fill;
  Index size() const { return height * width * channels; }
  // With a border of one pixel, and one number more, since three channels are read as four.
  Index framed_size() const { return (height + 2) * (width + 2) * channels + 1; }
};

struct Level {
  const char* name;
  // Numbers that `pack` writes.
  Index (*packed_size)(Index rows, Index columns);
  // Lays a kernel out so that `multiply` reads it from front to back.
  void (*pack)(const KernelShape& shape, const float* kernel, float* packed);
  // to[pixel, column] = sum over the runs of from[pixel, number] * packed[number, column].
  void (*multiply)(const Tile& tile, const float* from, const float* packed, float* to);
  // sums[row, column] += sum over pixels of image[pixel, row] * gradient[pixel, column].
  void (*add_products)(const Walk& walk, const float* image, const float* gradient, float* sums);
  // For each channel, the sum over rows of its distance from the pivot, and then of the square.
  void (*sum_deviations)(Index rows, Index channels, const float* image, const float* pivot,
                         float* sums);
  // For each channel, the sum over rows of the gradient before the activation, and then of it times
  // the image.
  void (*sum_gradients)(const ScaledRows& scaled, Index rows, const float* image,
                        const float* gradient, float* sums);
  // Of one image, as normalize.h says.
  void (*normalize)(const ScaledRows& scaled, const Windows& windows, const float* image,
                    float* output, float* taken);
  void (*normalize_gradient)(const ScaledRows& scaled, const Windows& windows, const float* slope,
                             const float* constant, const float* image, const float* taken,
                             const float* gradient, float* result);
  // Of one image, and then a bias, unless it is null, and perhaps ReLU. `places` gets the number of
  // the tap that was taken for each output; -1 where ReLU has no slope.
  void (*pool_max)(const PoolShape& shape, const float* image, const float* bias, bool relu,
                   float* output, signed char* places);
  // Adds to `sums`, unless it is null, those of each channel over all that has a slope.
  void (*pool_max_gradient)(const PoolShape& shape, const float* gradient,
                            const signed char* places, float* image, float* sums);
  void (*pool_sum)(const PoolShape& shape, const float* image, float* output);
  void (*pool_sum_gradient)(const PoolShape& shape, const float* gradient, float* image);
  // Copies one image into one with a border of a pixel.
  void (*frame_floats)(const WarpShape& shape, const float* image, float* framed);
  void (*frame_bytes)(const WarpShape& shape, const unsigned char* image, float* framed);
  // The pixel (y, x) of the output is read at (m0 * y + m1 * x + m2, m3 * y + m4 * x + m5) of the
  // image, between four pixels.
  void (*warp)(const WarpShape& shape, const float* framed, const float* matrix, float* output);
  // Multiplies the distances from the mean by the first number of a light, and adds the second.
  void (*light)(Index size, const float* light, float* image);
  // Of tiles whose runs are single taps, and `row` the number of the tap in the kernel.
  // to[pixel, column] = sum over the runs of from[pixel, column] * kernel[row, column].
  void (*multiply_depthwise)(const Tile& tile, const float* from, const float* kernel, float* to);
  // sums[row, column] += sum over pixels of image[pixel, column] * gradient[pixel, column].
  void (*add_depthwise)(const Tile& tile, const float* image, const float* gradient, float* sums);
};

}  // namespace clearcnn
