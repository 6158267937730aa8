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

// Where the pixels of a piece of a row are read: the upper left one of four, and how far beyond it.
struct Places {
  static constexpr Index kMost = 64;
  int top[kMost], left[kMost];
  float down[kMost], right[kMost];
};

// A loop of its own, which the compiler turns into vectors.
void locate(const WarpShape& shape, const float* matrix, Index y, Index first, Index count,
            Places& places) {
  // In the framed image, whose first pixel is that of the border.
  const float lowest = shape.fills ? 0 : 1;
  const float last_y = shape.height + 1 - lowest, last_x = shape.width + 1 - lowest;
  const float row_y = matrix[0] * y, row_x = matrix[3] * y;
  const float step_y = matrix[1], step_x = matrix[4], shift_y = matrix[2], shift_x = matrix[5];
  const int lowest_row = static_cast<int>(shape.height);
  const int last_column = static_cast<int>(shape.width), x = static_cast<int>(first);
  for (int i = 0; i < static_cast<int>(count); i++) {
    const float from_y = clip(row_y + step_y * (x + i) + shift_y + 1, lowest, last_y);
    const float from_x = clip(row_x + step_x * (x + i) + shift_x + 1, lowest, last_x);
    const int top = static_cast<int>(from_y), left = static_cast<int>(from_x);
    places.top[i] = top < lowest_row ? top : lowest_row;
    places.left[i] = left < last_column ? left : last_column;
    places.down[i] = from_y - places.top[i];
    places.right[i] = from_x - places.left[i];
  }
}

// `kChannels` is the number of channels where the compiler knows it, else 0.
template <int kChannels>
void warp_pixels(const WarpShape& shape, const float* framed, const float* matrix,
                 float* output) {
  const Index channels = kChannels ? kChannels : shape.channels;
  const Index line = (shape.width + 2) * channels;
  const float* const end = output + shape.size();
  Places places;
  for (Index y = 0; y < shape.height; y++) {
    for (Index first = 0; first < shape.width; first += Places::kMost) {
      const Index rest = shape.width - first;
      const Index count = rest < Places::kMost ? rest : Places::kMost;
      locate(shape, matrix, y, first, count, places);
      for (Index i = 0; i < count; i++, output += channels) {
        const float down = places.down[i], right = places.right[i];
        const float* upper = framed + places.top[i] * line + places.left[i] * channels;
        const float* lower = upper + line;
        const auto mix = [&]<int L>(Index c) {
          const Vector<L> above =
              load<L>(upper + c) * (1 - right) + load<L>(upper + channels + c) * right;
          const Vector<L> below =
              load<L>(lower + c) * (1 - right) + load<L>(lower + channels + c) * right;
          return above * (1 - down) + below * down;
        };
        if (kChannels == 3 && output + 4 <= end) {
          // The next pixel overwrites the fourth number.
          store<4>(output, mix.template operator()<4>(0));
        } else {
          for (Index c = 0; c < channels; c++) output[c] = mix.template operator()<1>(c)[0];
        }
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
