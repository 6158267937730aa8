// Scale, shift, activation and pooling of one image, and the gradient, compiled for each level.
#include "activations.h"
#include "level_operations.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

// Calls work<L, A, Side>(windows): windows of Side×Side, or of any size where Side is 0.
template <typename Work>
inline void with_constants(const ScaledRows& scaled, const Windows& windows, Work work) {
  with_width(scaled.channels, [&]<int L>() {
    with_activation(scaled.activation, [&]<Activation A>() {
      if (windows.height == 1 && windows.width == 1) return work.template operator()<L, A, 1>();
      if (windows.height == 2 && windows.width == 2) return work.template operator()<L, A, 2>();
      work.template operator()<L, A, 0>();
    });
  });
}

// Calls work(offset in the image, offset in the pooled image) for each vector of each window; the
// last vector of a pixel begins early enough to end with it.
template <int L, typename Work>
inline void for_each_window(const Windows& windows, Index channels, Work work) {
  const Index row_size = windows.columns * channels;
  Index to = 0;
  for (Index y = 0; y < windows.rows / windows.height; y++) {
    for (Index x = 0; x < windows.columns / windows.width; x++, to += channels) {
      const Index from = y * windows.height * row_size + x * windows.width * channels;
      for (Index c = 0; c < channels; c += L) {
        const Index channel = c <= channels - L ? c : channels - L;
        work(channel, from + channel, to + channel);
      }
    }
  }
}

// Calls work(offset from the window's first pixel) for each of its pixels, in reading order.
template <int Side, typename Work>
inline void for_each_pixel(const Windows& windows, Index channels, Work work) {
  const Index height = Side ? Side : windows.height, width = Side ? Side : windows.width;
#pragma GCC unroll 2
  for (Index y = 0; y < height; y++) {
#pragma GCC unroll 2
    for (Index x = 0; x < width; x++) work((y * windows.columns + x) * channels);
  }
}

}  // namespace

void normalize(const ScaledRows& scaled, const Windows& windows, const float* image,
               float* output, float* taken) {
  with_constants(scaled, windows, [&]<int L, Activation A, int Side>() {
    // ReLU keeps the order of numbers, so that the largest can be chosen before.
    constexpr bool kLater = A == Activation::relu;
    for_each_window<L>(windows, scaled.channels, [&](Index channel, Index from, Index to) {
      const Vector<L> scale = load<L>(scaled.scale + channel);
      const Vector<L> shift = load<L>(scaled.shift + channel);
      Vector<L> largest = Vector<L>{} - __builtin_inff(), pixel = load<L>(image + from);
      for_each_pixel<Side>(windows, scaled.channels, [&](Index offset) {
        const Vector<L> next = load<L>(image + from + offset), line = next * scale + shift;
        const Vector<L> value = kLater ? line : activate<L, A>(line);
        if constexpr (Side == 1) {
          largest = value;
        } else {  // NaN is larger than all numbers; the first among equals is taken.
          const auto is_larger = (value > largest) | ((value != value) & (largest == largest));
          largest = is_larger ? value : largest;
          pixel = is_larger ? next : pixel;
        }
      });
      store<L>(output + to, kLater ? activate<L, A>(largest) : largest);
      if constexpr (Side != 1) store<L>(taken + to, pixel);
    });
  });
}

void normalize_gradient(const ScaledRows& scaled, const Windows& windows, const float* slope,
                        const float* constant, const float* image, const float* taken,
                        const float* gradient, float* result) {
  const Index channels = scaled.channels;
  with_constants(scaled, windows, [&]<int L, Activation A, int Side>() {
    for_each_window<L>(windows, channels, [&](Index channel, Index from, Index to) {
      const Vector<L> scale = load<L>(scaled.scale + channel), zero = {};
      const Vector<L> factor = load<L>(slope + channel), term = load<L>(constant + channel);
      const Vector<L> pixel = load<L>(taken + to);
      const Vector<L> line = pixel * scale + load<L>(scaled.shift + channel);
      const Vector<L> change = times_slope<L, A>(load<L>(gradient + to), line) * scale;
      Integers<L> is_found = {};
      for_each_pixel<Side>(windows, channels, [&](Index offset) {
        const Vector<L> next = load<L>(image + from + offset), rest = next * factor + term;
        if constexpr (Side == 1) {
          store<L>(result + from, rest + change);
        } else {
          const Integers<L> is_here = (next == pixel) & ~is_found;
          is_found |= is_here;
          store<L>(result + from + offset, rest + (is_here ? change : zero));
        }
      });
    });
    // Beside the last whole windows.
    const Index whole_rows = windows.rows - windows.rows % windows.height;
    const Index whole_columns = windows.columns - windows.columns % windows.width;
    if (whole_rows == windows.rows && whole_columns == windows.columns) return;
    for_each_window<L>({windows.rows, windows.columns, 1, 1}, channels,
                       [&](Index channel, Index from, Index) {
      const Index number = from / channels;
      if (number / windows.columns < whole_rows && number % windows.columns < whole_columns) return;
      store<L>(result + from, load<L>(image + from) * load<L>(slope + channel) +
                                  load<L>(constant + channel));
    });
  });
}

}  // namespace clearcnn::CLEARCNN_LEVEL
