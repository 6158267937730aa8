#include "batch_sums.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace clearcnn {
namespace {

// Numbers that one slice repays its thread for, and the most slices, whatever the threads.
constexpr Index kSlice = 1 << 16, kMostSlices = 32;
// Rows that are summed in float32 before the sum goes on in double.
constexpr Index kBlock = 256;

// Sums rows [begin, begin + count) into 2 * channels numbers.
using SumBlock = std::function<void(Index begin, Index count, float* sums)>;
using UseSums = std::function<void(const double* sums)>;

// Sums in fixed slices and these in order, so that the bits do not depend on the threads.
struct SlicedSums {
  Index rows, width;
  int slices;
  SumBlock sum_block;
  std::vector<double> totals;
  std::vector<float> blocks;

  void add(int slice) {
    double* total = totals.data() + slice * width;
    float* sums = blocks.data() + slice * width;
    const Index end = rows * (slice + 1) / slices;
    for (Index begin = rows * slice / slices; begin < end; begin += kBlock) {
      sum_block(begin, std::min(kBlock, end - begin), sums);
      for (Index i = 0; i < width; i++) total[i] += sums[i];
    }
  }

  const double* join() {
    for (int slice = 1; slice < slices; slice++) {
      for (Index i = 0; i < width; i++) totals[i] += totals[slice * width + i];
    }
    return totals.data();
  }
};

void sum_slices(Threads& threads, Index rows, Index channels, SumBlock sum_block, UseSums use,
                Task finish) {
  const Index width = 2 * channels;
  const int slices =
      static_cast<int>(std::clamp<Index>(rows * channels / kSlice, 1, kMostSlices));
  const auto sums = std::make_shared<SlicedSums>(
      SlicedSums{rows, width, slices, std::move(sum_block), std::vector<double>(slices * width),
                 std::vector<float>(slices * width)});
  for_each_part(
      threads, slices, [sums](int slice) { sums->add(slice); },
      [sums, use = std::move(use), finish = std::move(finish)] {
        use(sums->join());
        finish();
      });
}

}  // namespace

void moments(const Level& level, Threads& threads, Index rows, Index channels, const float* image,
             float* mean, float* variance, Task finish) {
  // Around the first row instead of zero: squares of large numbers would hide a small variance.
  sum_slices(
      threads, rows, channels,
      [=, &level](Index begin, Index count, float* sums) {
        level.sum_deviations(count, channels, image + begin * channels, image, sums);
      },
      [=](const double* sums) {
        for (Index c = 0; c < channels; c++) {
          const double distance = sums[c] / rows;
          const double square = sums[channels + c] / rows - distance * distance;
          mean[c] = static_cast<float>(distance + image[c]);
          variance[c] = static_cast<float>(square < 0 ? 0 : square);
        }
      },
      std::move(finish));
}

void gradient_sums(const Level& level, Threads& threads, const ScaledRows& scaled, Index rows,
                   const float* image, const float* gradient, float* sum, float* products,
                   Task finish) {
  const Index channels = scaled.channels;
  sum_slices(
      threads, rows, channels,
      [=, &level](Index begin, Index count, float* sums) {
        const Index at = begin * channels;
        level.sum_gradients(scaled, count, image + at, gradient + at, sums);
      },
      [=](const double* sums) {
        for (Index c = 0; c < channels; c++) {
          sum[c] = static_cast<float>(sums[c]);
          products[c] = static_cast<float>(sums[channels + c]);
        }
      },
      std::move(finish));
}

}  // namespace clearcnn
