#include "depthwise.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "axis_plan.h"

namespace clearcnn {
namespace {

// Numbers that are read and written before the next tile, of several small images: 128 KiB, which
// second-level caches hold.
constexpr Index kBand = 1 << 15;
// Numbers below which one thread is done before another has woken up, and the most parts.
constexpr Index kNumbersOfPart = 1 << 15, kMostParts = 32;

// One of the two arrays of a convolution.
struct Side {
  Index columns, size;
};

// Pixels of one image that read the same taps.
struct Part {
  std::vector<Run> runs;
  Tile tile;
  Index from, to;  // Where its first pixel reads and writes.
};

// All that the threads need besides the arrays.
struct Plan {
  const Level* level;
  Depthwise shape;
  Side from, to;
  std::vector<Part> parts;
  int chunks;  // Of the batch; never depends on the number of threads.

  // Calls work(tile, where it reads, where it writes) for all pixels of a chunk.
  template <typename Work>
  void for_each_tile(int chunk, Work work) const {
    const Index begin = shape.images * chunk / chunks, end = shape.images * (chunk + 1) / chunks;
    const Index band = std::max<Index>(1, kBand / std::max<Index>(1, from.size + to.size));
    for (Index first = begin; first < end; first += band) {
      for (const Part& part : parts) {
        Tile tile = part.tile;
        tile.axes[0].count = std::min(band, end - first);
        work(tile, first * from.size + part.from, first * to.size + part.to);
      }
    }
  }
};

std::vector<Run> find_taps(const Depthwise& shape, const Segment& rows, const Segment& columns,
                           const Side& from, bool turned) {
  const Index taps = shape.rows.kernel * shape.columns.kernel;
  std::vector<Run> runs;
  runs.reserve(rows.num_taps * columns.num_taps);
  for (Index y = 0; y < rows.num_taps; y++) {
    for (Index x = 0; x < columns.num_taps; x++) {
      const Index tap = (rows.tap + y * rows.tap_step) * shape.columns.kernel + columns.tap +
                        x * columns.tap_step;
      const Index pixel = y * rows.tap_from_step * from.columns + x * columns.tap_from_step;
      runs.push_back({pixel * shape.channels, turned ? taps - 1 - tap : tap, 1});
    }
  }
  return runs;
}

std::shared_ptr<const Plan> make_plan(const Level& level, const Depthwise& shape, bool turned) {
  const Index channels = shape.channels;
  Side from = {shape.columns.image, shape.image_size()};
  Side to = {shape.columns.output, shape.output_size()};
  if (turned) std::swap(from, to);
  const auto plan_axis = turned ? plan_image : plan_output;
  const Index numbers = shape.images * (from.size + to.size) / kNumbersOfPart;
  const Index most = std::min(kMostParts, shape.images);
  const int chunks = static_cast<int>(std::max<Index>(1, std::min(numbers, most)));
  const auto plan = std::make_shared<Plan>(Plan{&level, shape, from, to, {}, chunks});
  const std::vector<Segment> rows = plan_axis(shape.rows), columns = plan_axis(shape.columns);
  plan->parts.reserve(rows.size() * columns.size());
  for (const Segment& y : rows) {
    for (const Segment& x : columns) {
      Part& part = plan->parts.emplace_back();
      part.runs = find_taps(shape, y, x, from, turned);
      part.tile = {{{0, from.size, to.size},  // The images are counted later.
                    {y.count, y.from_step * from.columns * channels,
                     y.step * to.columns * channels},
                    {x.count, x.from_step * channels, x.step * channels}},
                   part.runs.data(),
                   static_cast<Index>(part.runs.size()),
                   shape.rows.kernel * shape.columns.kernel,
                   channels};
      part.from = (y.from * from.columns + x.from) * channels;
      part.to = (y.first * to.columns + x.first) * channels;
    }
  }
  return plan;
}

void multiply_all(const Level& level, Threads& threads, const Depthwise& shape, bool turned,
                  const float* input, const float* kernel, float* output, Task finish) {
  const auto plan = make_plan(level, shape, turned);
  for_each_part(
      threads, plan->chunks,
      [=](int chunk) {
        plan->for_each_tile(chunk, [&](const Tile& tile, Index from, Index to) {
          plan->level->multiply_depthwise(tile, input + from, kernel, output + to);
        });
      },
      std::move(finish));
}

}  // namespace

void convolve_depthwise(const Level& level, Threads& threads, const Depthwise& shape,
                        const float* image, const float* kernel, float* output, Task finish) {
  multiply_all(level, threads, shape, false, image, kernel, output, std::move(finish));
}

void depthwise_image_gradient(const Level& level, Threads& threads, const Depthwise& shape,
                              const float* gradient, const float* kernel, float* image,
                              Task finish) {
  multiply_all(level, threads, shape, true, gradient, kernel, image, std::move(finish));
}

void depthwise_kernel_gradient(const Level& level, Threads& threads, const Depthwise& shape,
                               const float* image, const float* gradient, float* kernel,
                               Task finish) {
  const auto plan = make_plan(level, shape, false);
  const Index size = shape.kernel_size();
  // Each chunk is summed alone, and then the chunks in order.
  const auto sums = std::make_shared<std::vector<float>>(plan->chunks * size);
  for_each_part(
      threads, plan->chunks,
      [=](int chunk) {
        plan->for_each_tile(chunk, [&](const Tile& tile, Index from, Index to) {
          plan->level->add_depthwise(tile, image + from, gradient + to,
                                     sums->data() + chunk * size);
        });
      },
      [=, chunks = plan->chunks, finish = std::move(finish)] {
        for (Index i = 0; i < size; i++) {
          float total = 0;
          for (int chunk = 0; chunk < chunks; chunk++) total += (*sums)[chunk * size + i];
          kernel[i] = total;
        }
        finish();
      });
}

}  // namespace clearcnn
