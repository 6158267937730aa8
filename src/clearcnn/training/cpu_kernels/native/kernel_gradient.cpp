#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "convolution.h"
#include "scratch.h"

namespace clearcnn {
namespace {

// The batch is summed in slices, and the slices in order: never more than this, whatever the
// number of threads, and fewer where their sums would be large.
constexpr Index kMostSlices = 16, kFewestSlices = 4, kSumsOfSlices = 1 << 19;
// Numbers of image and gradient that are walked over before the sums are put away: 512 KiB, which
// second-level caches hold. 128 KiB were slower by 1 to 10 % for 3×3 taps, by a third for 5×5.
constexpr Index kBand = 1 << 17;

// Adds what one tap of the kernel's rows sees of a few images, in rows of the output [first, last).
void add_tap(const Level& level, const Convolution& shape, Index images, Index first, Index last,
             Index tap, const std::vector<Segment>& columns, const float* image,
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
          {{images, shape.image_size(), shape.output_size()},
           {last - first, shape.rows.stride * image_row, output_row},
           {segment.count, segment.from_step * shape.channels, segment.step * shape.filters}},
          taps * channels,
          filters};
      const Index at = segment.from + x * segment.tap_from_step;
      const Index column = segment.tap + x * segment.tap_step;
      for (Index group = 0; group < shape.groups; group++) {
        level.add_products(
            walk,
            image + from * image_row + at * shape.channels +
                group * channels,
            gradient + first * output_row + segment.first * shape.filters + group * filters,
            sums + group * shape.group_kernel_size() +
                (tap * shape.columns.kernel + column) * channels * filters);
      }
    }
  }
}

// Images that are walked over before the sums are put away.
Index images_of_band(const Convolution& shape) {
  const Index numbers = shape.image_size() + shape.output_size();
  return std::clamp<Index>(kBand / std::max<Index>(1, numbers), 1, std::max<Index>(1, shape.images));
}

void add_band(const Level& level, const Convolution& shape, Index images,
              const std::vector<Segment>& rows, const std::vector<Segment>& columns,
              const float* image, const float* gradient, float* sums) {
  const Index image_numbers = shape.image_size() + shape.output_size();
  const Index row_numbers = image_numbers / std::max<Index>(1, shape.rows.output);
  const Index band = std::max<Index>(1, kBand / std::max<Index>(1, row_numbers));
  for (const Segment& segment : rows) {
    for (Index j = 0; j < segment.count; j += band) {
      const Index first = segment.first + j;
      const Index last = segment.first + std::min(j + band, segment.count);
      for (Index y = 0; y < segment.num_taps; y++) {
        const Index tap = segment.tap + y * segment.tap_step;
        add_tap(level, shape, images, first, last, tap, columns, image, gradient, sums);
      }
    }
  }
}

// All that the threads need besides the arrays.
struct Sums {
  const Level& level;
  Convolution shape;
  Gradients gradients;
  int slices;
  Scratch scratch;
  std::vector<Segment> rows, columns;
  std::vector<float> sums;  // Of each slice: the kernel's, and those of the bias.

  Sums(const Level& level, Threads& threads, const Convolution& shape, Gradients gradients,
       int slices, Index scratch_size)
      : level(level),
        shape(shape),
        gradients(std::move(gradients)),
        slices(slices),
        scratch(threads, slices, scratch_size),
        rows(plan_output(shape.rows)),
        columns(plan_output(shape.columns)),
        sums(slices * size()) {}

  Index size() const { return shape.kernel_size() + shape.filters; }

  void add(int slice, const float* image) {
    Scratch::Loan loan(scratch);
    float* kernel = sums.data() + slice * size();
    const Index images = images_of_band(shape), end = shape.images * (slice + 1) / slices;
    for (Index begin = shape.images * slice / slices; begin < end; begin += images) {
      const Index next = std::min(begin + images, end);
      const float* gradient =
          gradients(begin, next, loan.data(), kernel + shape.kernel_size());
      add_band(level, shape, next - begin, rows, columns, image + begin * shape.image_size(),
               gradient, kernel);
    }
  }

  // Adds up the slices, in order.
  void join(Index first, Index count, float* result) const {
    std::copy_n(sums.data() + first, count, result);
    for (int slice = 1; slice < slices; slice++) {
      const float* more = sums.data() + slice * size() + first;
      for (Index i = 0; i < count; i++) result[i] += more[i];
    }
  }
};

}  // namespace

void kernel_gradient(const Level& level, Threads& threads, const Convolution& shape,
                     const float* image, Gradients gradients, Index scratch, float* kernel,
                     float* bias, Task finish) {
  const Index wanted = std::clamp(kSumsOfSlices / std::max<Index>(1, shape.kernel_size()),
                                  kFewestSlices, kMostSlices);
  const int slices = choose_parts(shape.work(), std::min(wanted, shape.images));
  const auto sums = std::make_shared<Sums>(level, threads, shape, std::move(gradients), slices,
                                           scratch * images_of_band(shape));
  for_each_part(
      threads, slices, [=](int slice) { sums->add(slice, image); },
      [=, finish = std::move(finish)] {
        sums->join(0, shape.kernel_size(), kernel);
        if (bias != nullptr) sums->join(shape.kernel_size(), shape.filters, bias);
        finish();
      });
}

void kernel_gradient(const Level& level, Threads& threads, const Convolution& shape,
                     const float* image, const float* gradient, float* kernel, Task finish) {
  const Index size = shape.output_size();
  const auto read = [=](Index begin, Index, float*, float*) { return gradient + begin * size; };
  kernel_gradient(level, threads, shape, image, read, 0, kernel, nullptr, std::move(finish));
}

}  // namespace clearcnn
