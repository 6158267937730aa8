// Pooling of one image and its gradient, compiled once for each level.
#include "level_operations.h"
#include "vectors.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

template <int L>
struct OfBytes {
  typedef signed char Aligned __attribute__((vector_size(L)));
  typedef Aligned Type __attribute__((aligned(1), may_alias));
};
template <int L>
struct OfIntegers {
  typedef int Type __attribute__((vector_size(4 * L)));
};

// Calls work(number, offset) for each tap of a window that lies in the image, in reading order.
template <typename Work>
inline void for_each_tap(const PoolShape& shape, Index row, Index column, Work work) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  const Index top = row * rows.stride - rows.padding;
  const Index left = column * columns.stride - columns.padding;
  for (Index y = 0; y < rows.kernel; y++) {
    if (top + y < 0 || top + y >= rows.image) continue;
    for (Index x = 0; x < columns.kernel; x++) {
      if (left + x < 0 || left + x >= columns.image) continue;
      const Index pixel = (top + y) * columns.image + left + x;
      work(static_cast<int>(y * columns.kernel + x), pixel * shape.channels);
    }
  }
}

// Calls work<L>(row, column, channel, offset in the output).
template <typename Work>
inline void for_each_output(const PoolShape& shape, Work work) {
  for (Index row = 0; row < shape.rows.output; row++) {
    for (Index column = 0; column < shape.columns.output; column++) {
      const Index at = (row * shape.columns.output + column) * shape.channels;
      cover_channels<kWidest>(0, shape.channels, [&]<int L>(Index channel) {
        work.template operator()<L>(row, column, channel, at + channel);
      });
    }
  }
}

void clear_image(const PoolShape& shape, float* image) {
  const Index size = shape.rows.image * shape.columns.image * shape.channels;
  for (Index i = 0; i < size; i++) image[i] = 0;
}

}  // namespace

void pool_max(const PoolShape& shape, const float* image, float* output, signed char* places) {
  for_each_output(shape, [&]<int L>(Index row, Index column, Index channel, Index at) {
    Vector<L> largest = Vector<L>{} - __builtin_inff();
    typename OfIntegers<L>::Type place = {};
    for_each_tap(shape, row, column, [&](int number, Index pixel) {
      const Vector<L> value = load<L>(image + pixel + channel);
      // NaN is larger than all numbers, as in XLA; and so is what comes first among equals, be it
      // padding, whose gradient is lost.
      const auto taken = (value > largest) | ((value != value) & (largest == largest));
      largest = taken ? value : largest;
      place = (taken & number) | (~taken & place);
    });
    store<L>(output + at, largest);
    *reinterpret_cast<typename OfBytes<L>::Type*>(places + at) =
        __builtin_convertvector(place, typename OfBytes<L>::Aligned);
  });
}

void pool_max_gradient(const PoolShape& shape, const float* gradient, const signed char* places,
                       float* image) {
  clear_image(shape, image);
  for_each_output(shape, [&]<int L>(Index row, Index column, Index channel, Index at) {
    const Vector<L> slope = load<L>(gradient + at), zero = {};
    const auto place = __builtin_convertvector(
        *reinterpret_cast<const typename OfBytes<L>::Type*>(places + at),
        typename OfIntegers<L>::Type);
    for_each_tap(shape, row, column, [&](int number, Index pixel) {
      float* to = image + pixel + channel;
      store<L>(to, load<L>(to) + (place == number ? slope : zero));
    });
  });
}

void pool_sum(const PoolShape& shape, const float* image, float* output) {
  for_each_output(shape, [&]<int L>(Index row, Index column, Index channel, Index at) {
    Vector<L> sum = {};
    for_each_tap(shape, row, column,
                 [&](int, Index pixel) { sum += load<L>(image + pixel + channel); });
    store<L>(output + at, sum);
  });
}

void pool_sum_gradient(const PoolShape& shape, const float* gradient, float* image) {
  clear_image(shape, image);
  for_each_output(shape, [&]<int L>(Index row, Index column, Index channel, Index at) {
    const Vector<L> slope = load<L>(gradient + at);
    for_each_tap(shape, row, column, [&](int, Index pixel) {
      float* to = image + pixel + channel;
      store<L>(to, load<L>(to) + slope);
    });
  });
}

}  // namespace clearcnn::CLEARCNN_LEVEL
