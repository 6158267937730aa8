// Pooling of one image and its gradient, compiled once for each level.
#include "activations.h"
#include "level_operations.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

template <int L>
struct OfBytes {
  typedef signed char Aligned __attribute__((vector_size(L)));
  typedef Aligned Type __attribute__((aligned(1), may_alias));
};

// The taps of a window that lie in the image: rows [top, bottom) and columns [left, right).
struct Taps {
  Index top, bottom, left, right;
  Index from;  // Offset of the window's first tap in the image, even if it lies beside it.
};

inline Index at_least(Index value, Index least) { return value < least ? least : value; }
inline Index at_most(Index value, Index most) { return value > most ? most : value; }

inline Taps find_taps(const PoolShape& shape, Index row, Index column) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  const Index top = row * rows.stride - rows.padding;
  const Index left = column * columns.stride - columns.padding;
  return {at_least(-top, 0), at_most(rows.image - top, rows.kernel), at_least(-left, 0),
          at_most(columns.image - left, columns.kernel),
          (top * columns.image + left) * shape.channels};
}

// Calls work(number, offset) for each tap in the image, in reading order. Windows of Side×Side lie
// wholly in it; a Side of 0 is any window.
template <int Side, typename Work>
inline void for_each_tap(const PoolShape& shape, const Taps& taps, Work work) {
  const Index width = Side ? Side : shape.columns.kernel;
  const Index top = Side ? 0 : taps.top, bottom = Side ? Side : taps.bottom;
  const Index left = Side ? 0 : taps.left, right = Side ? Side : taps.right;
#pragma GCC unroll 2
  for (Index y = top; y < bottom; y++) {
#pragma GCC unroll 2
    for (Index x = left; x < right; x++) {
      work(static_cast<int>(y * width + x),
           taps.from + (y * shape.columns.image + x) * shape.channels);
    }
  }
}

// Calls work<L, Side>(taps, channel, offset in the output).
template <typename Work>
inline void for_each_output(const PoolShape& shape, Work work) {
  const bool is_small = shape.rows.kernel == 2 && shape.columns.kernel == 2;
  for (Index row = 0; row < shape.rows.output; row++) {
    for (Index column = 0; column < shape.columns.output; column++) {
      const Taps taps = find_taps(shape, row, column);
      const Index at = (row * shape.columns.output + column) * shape.channels;
      const bool is_whole = is_small && taps.top == 0 && taps.left == 0 && taps.bottom == 2 &&
                            taps.right == 2;
      cover_channels<kWidest>(0, shape.channels, [&]<int L>(Index channel) {
        if (is_whole) return work.template operator()<L, 2>(taps, channel, at + channel);
        work.template operator()<L, 0>(taps, channel, at + channel);
      });
    }
  }
}

bool may_overlap(const AxisShape& axis) { return axis.kernel > axis.stride; }

// Whether each pixel along an axis is in a window.
bool covers(const AxisShape& axis) {
  return axis.kernel >= axis.stride && axis.padding >= 0 &&
         (axis.output - 1) * axis.stride - axis.padding + axis.kernel >= axis.image;
}

void clear_image(const PoolShape& shape, float* image) {
  const Index size = shape.rows.image * shape.columns.image * shape.channels;
  for (Index i = 0; i < size; i++) image[i] = 0;
}

}  // namespace

void pool_max(const PoolShape& shape, const float* image, const float* bias, bool relu,
              float* output, signed char* places) {
  for_each_output(shape, [&]<int L, int Side>(const Taps& taps, Index channel, Index at) {
    Vector<L> largest = Vector<L>{} - __builtin_inff();
    Integers<L> place = {};
    for_each_tap<Side>(shape, taps, [&](int number, Index pixel) {
      const Vector<L> value = load<L>(image + pixel + channel);
      // NaN is larger than all numbers, as in XLA; and so is what comes first among equals, be it
      // padding, whose gradient is lost.
      const Integers<L> taken = (value > largest) | ((value != value) & (largest == largest));
      largest = taken ? value : largest;
      place = (taken & number) | (~taken & place);
    });
    if (bias != nullptr) largest += load<L>(bias + channel);
    if (relu) {
      place |= ~(largest > 0.0f);
      largest = activate<L, Activation::relu>(largest);
    }
    store<L>(output + at, largest);
    *reinterpret_cast<typename OfBytes<L>::Type*>(places + at) =
        __builtin_convertvector(place, typename OfBytes<L>::Aligned);
  });
}

void pool_max_gradient(const PoolShape& shape, const float* gradient, const signed char* places,
                       float* image, float* sums) {
  const bool overlaps = may_overlap(shape.rows) || may_overlap(shape.columns);
  if (overlaps || !covers(shape.rows) || !covers(shape.columns)) clear_image(shape, image);
  for_each_output(shape, [&]<int L, int Side>(const Taps& taps, Index channel, Index at) {
    const Vector<L> slope = load<L>(gradient + at), zero = {};
    const Integers<L> place = __builtin_convertvector(
        *reinterpret_cast<const typename OfBytes<L>::Type*>(places + at), Integers<L>);
    for_each_tap<Side>(shape, taps, [&](int number, Index pixel) {
      float* to = image + pixel + channel;
      const Vector<L> part = place == number ? slope : zero;
      store<L>(to, overlaps ? load<L>(to) + part : part);
    });
    if (sums != nullptr) {
      store<L>(sums + channel, load<L>(sums + channel) + (place >= 0 ? slope : zero));
    }
  });
}

void pool_sum(const PoolShape& shape, const float* image, float* output) {
  for_each_output(shape, [&]<int L, int Side>(const Taps& taps, Index channel, Index at) {
    Vector<L> sum = {};
    for_each_tap<Side>(shape, taps,
                       [&](int, Index pixel) { sum += load<L>(image + pixel + channel); });
    store<L>(output + at, sum);
  });
}

void pool_sum_gradient(const PoolShape& shape, const float* gradient, float* image) {
  clear_image(shape, image);
  for_each_output(shape, [&]<int L, int Side>(const Taps& taps, Index channel, Index at) {
    const Vector<L> slope = load<L>(gradient + at);
    for_each_tap<Side>(shape, taps, [&](int, Index pixel) {
      float* to = image + pixel + channel;
      store<L>(to, load<L>(to) + slope);
    });
  });
}

}  // namespace clearcnn::CLEARCNN_LEVEL
