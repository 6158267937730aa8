#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "convolution.h"

namespace clearcnn {
namespace {

// The batch is summed in slices, and the slices in order: never more than this, whatever the
// number of threads, and fewer where their sums would be large.
constexpr Index kMostSlices = 16, kFewestSlices = 4, kSumsOfSlices = 1 << 19;
// Numbers of image and gradient that are walked over before the sums are put away: 512 KiB, which
// second-level caches hold. 128 KiB were slower by 1 to 10 % for 3×3 taps, by a third for 5×5.
constexpr Index kBand = 1 << 17;

// Adds what one tap of the kernel's rows sees, in images [begin, end) and rows of the output
// [first, last).
void add_tap(const Level& level, const Convolution& shape, Index begin, Index end, Index first,
             Index last, Index tap, const std::vector<Segment>& columns, const float* image,
             const float* gradient, float* sums) {
  const Index image_row = shape.columns.image * shape.channels;
  const Index output_row = shape.columns.output * shape.filters;
  const Index channels = shape.group_channels(), filters = shape.group_filters();
  const Index from = first * shape.rows.stride - shape.rows.padding + tap * shape.rows.dilation;
  for (const Segment& segment : columns) {
    const bool side_by_side =
        segment.tap_step == 1 && segment.tap_from_step == 1 && shape.groups == 1;
    const Index taps = side_by_side ? segment.num_taps : 1;
    for (Index x = 0; x < segment.num_taps; x += taps) {
      const Walk walk = {
          {{end - begin, shape.image_size(), shape.output_size()},
           {last - first, shape.rows.stride * image_row, output_row},
           {segment.count, segment.from_step * shape.channels, segment.step * shape.filters}},
          taps * channels,
          filters};
      const Index at = segment.from + x * segment.tap_from_step;
      const Index column = segment.tap + x * segment.tap_step;
      for (Index group = 0; group < shape.groups; group++) {
        level.add_products(
            walk,
            image + begin * shape.image_size() + from * image_row + at * shape.channels +
                group * channels,
            gradient + begin * shape.output_size() + first * output_row +
                segment.first * shape.filters + group * filters,
            sums + group * shape.group_kernel_size() +
                (tap * shape.columns.kernel + column) * channels * filters);
      }
    }
  }
}

void add_slice(const Level& level, const Convolution& shape, Index begin, Index end,
               const std::vector<Segment>& rows, const std::vector<Segment>& columns,
               const float* image, const float* gradient, float* sums) {
  const Index image_numbers = shape.image_size() + shape.output_size();
  const Index images = std::max<Index>(1, kBand / std::max<Index>(1, image_numbers));
  const Index row_numbers = image_numbers / std::max<Index>(1, shape.rows.output);
  const Index band = std::max<Index>(1, kBand / std::max<Index>(1, row_numbers));
  for (Index i = begin; i < end; i += images) {
    const Index next = std::min(i + images, end);
    for (const Segment& segment : rows) {
      for (Index j = 0; j < segment.count; j += band) {
        const Index first = segment.first + j;
        const Index last = segment.first + std::min(j + band, segment.count);
        for (Index y = 0; y < segment.num_taps; y++) {
          const Index tap = segment.tap + y * segment.tap_step;
          add_tap(level, shape, i, next, first, last, tap, columns, image, gradient, sums);
        }
      }
    }
  }
}

// All that the threads need besides the arrays.
struct Sums {
  const Level* level;
  Convolution shape;
  int slices;
  std::vector<Segment> rows, columns;
  std::vector<float> others;  // Of all slices but the first, which is summed in place.

  void add(int slice, const float* image, const float* gradient, float* kernel) {
    const Index size = shape.kernel_size();
    float* sums = slice ? others.data() + (slice - 1) * size : kernel;
    std::fill_n(sums, size, 0.0f);
    add_slice(*level, shape, shape.images * slice / slices, shape.images * (slice + 1) / slices,
              rows, columns, image, gradient, sums);
  }

  void add_slices(float* kernel) const {
    const Index size = shape.kernel_size();
    for (int slice = 1; slice < slices; slice++) {
      const float* sums = others.data() + (slice - 1) * size;
      for (Index i = 0; i < size; i++) kernel[i] += sums[i];
    }
  }
};

}  // namespace

void kernel_gradient(const Level& level, Threads& threads, const Convolution& shape,
                     const float* image, const float* gradient, float* kernel, Task finish) {
  const Index size = shape.kernel_size();
  const Index wanted = std::clamp(kSumsOfSlices / std::max<Index>(1, size), kFewestSlices,
                                  kMostSlices);
  const int slices = choose_parts(shape.work(), std::min(wanted, shape.images));
  const auto sums = std::make_shared<Sums>(
      Sums{&level, shape, slices, plan_output(shape.rows), plan_output(shape.columns),
           std::vector<float>((slices - 1) * size)});
  for_each_part(
      threads, slices, [=](int slice) { sums->add(slice, image, gradient, kernel); },
      [sums, kernel, finish = std::move(finish)] {
        sums->add_slices(kernel);
        finish();
      });
}

}  // namespace clearcnn
