// An affine change and the lighting of one image, compiled once for each level.
#include "level_operations.h"
#include "vectors.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

template <typename Pixel>
void frame_pixels(const WarpShape& shape, const Pixel* image, float* framed) {
  const Index channels = shape.channels, line = shape.width * channels;
  for (Index row = -1; row <= shape.height; row++) {
    const bool is_outside = row < 0 || row == shape.height;
    if (is_outside && shape.fills) {
      for (Index i = 0; i < line + 2 * channels; i++) framed[i] = shape.fill;
    } else {
      const Pixel* from = image + (row < 0 ? 0 : row - (row == shape.height)) * line;
      float* to = framed + channels;
      for (Index i = 0; i < line; i++) to[i] = from[i];
      for (Index c = 0; c < channels; c++) {
        framed[c] = shape.fills ? shape.fill : to[c];
        to[line + c] = shape.fills ? shape.fill : to[line - channels + c];
      }
    }
    framed += line + 2 * channels;
  }
}

// NaN is the lowest, so that nothing beside the image is ever read.
inline float clip(float value, float lowest, float highest) {
  value = value > lowest ? value : lowest;
  return value < highest ? value : highest;
}

// `kChannels` is the number of channels where the compiler knows it, else 0.
template <int kChannels>
void warp_pixels(const WarpShape& shape, const float* framed, const float* matrix,
                 float* output) {
  const Index channels = kChannels ? kChannels : shape.channels;
  const Index line = (shape.width + 2) * channels;
  // In the framed image, whose first pixel is that of the border.
  const float lowest = shape.fills ? 0 : 1;
  const float last_y = shape.height + 1 - lowest, last_x = shape.width + 1 - lowest;
  for (Index y = 0; y < shape.height; y++) {
    const float row_y = matrix[0] * y, row_x = matrix[3] * y;
    for (Index x = 0; x < shape.width; x++) {
      const float from_y = clip(row_y + matrix[1] * x + matrix[2] + 1, lowest, last_y);
      const float from_x = clip(row_x + matrix[4] * x + matrix[5] + 1, lowest, last_x);
      int top = static_cast<int>(from_y), left = static_cast<int>(from_x);
      if (top > shape.height) top = static_cast<int>(shape.height);
      if (left > shape.width) left = static_cast<int>(shape.width);
      const float down = from_y - top, right = from_x - left;
      const float* corner = framed + top * line + left * channels;
      for (Index c = 0; c < channels; c++) {
        const float upper = corner[c] * (1 - right) + corner[channels + c] * right;
        const float lower =
            corner[line + c] * (1 - right) + corner[line + channels + c] * right;
        *output++ = upper * (1 - down) + lower * down;
      }
    }
  }
}

}  // namespace

void frame_floats(const WarpShape& shape, const float* image, float* framed) {
  frame_pixels(shape, image, framed);
}

void frame_bytes(const WarpShape& shape, const unsigned char* image, float* framed) {
  frame_pixels(shape, image, framed);
}

void warp(const WarpShape& shape, const float* framed, const float* matrix, float* output) {
  if (shape.channels == 1) return warp_pixels<1>(shape, framed, matrix, output);
  if (shape.channels == 3) return warp_pixels<3>(shape, framed, matrix, output);
  warp_pixels<0>(shape, framed, matrix, output);
}

void light(Index size, const float* light, float* image) {
  double sum = 0;
  with_width(size, [&]<int L>() {
    // Lanes of a block are added in float32, and blocks in double.
    constexpr Index kBlock = 256;
    Index i = 0;
    while (i + L <= size) {
      Vector<L> lanes = {};
      for (Index n = 0; n < kBlock && i + L <= size; n++, i += L) lanes += load<L>(image + i);
      for (int lane = 0; lane < L; lane++) sum += lanes[lane];
    }
    for (; i < size; i++) sum += image[i];
  });
  const float mean = static_cast<float>(sum / size), contrast = light[0], shift = light[1];
  for (Index i = 0; i < size; i++) image[i] = (image[i] - mean) * contrast + mean + shift;
}

}  // namespace clearcnn::CLEARCNN_LEVEL
