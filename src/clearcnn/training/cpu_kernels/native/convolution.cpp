#include "convolution.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace clearcnn {
namespace {

// Below this, one thread is done before another has woken up.
constexpr double kWorkOfPart = 1 << 20;
// More parts than threads, so that none waits long for the slowest.
constexpr double kMostParts = 64;
constexpr Index kPartsOfThread = 4;
// Numbers that a part of the images reads and writes: 1 MiB, which second-level caches hold. With
// fewer, a large kernel is read for a handful of pixels: 4×4 images of 128 channels were 2.5 times
// as slow, 8×8 of 64 a fifth.
constexpr Index kNumbersOfPart = 1 << 18;

// One of the two arrays of a convolution, (images, rows, columns, channels).
struct Side {
  Index columns, channels, group_channels, size;
};

std::vector<Run> find_runs(const Segment& rows, const Segment& columns, Index kernel_width,
                           const Side& from) {
  std::vector<Run> runs;
  const bool side_by_side = columns.tap_step == 1 && columns.tap_from_step == 1 &&
                            from.group_channels == from.channels;
  const Index taps = side_by_side ? columns.num_taps : 1;
  for (Index y = 0; y < rows.num_taps; y++) {
    for (Index x = 0; x < columns.num_taps; x += taps) {
      const Index row = rows.tap + y * rows.tap_step, column = columns.tap + x * columns.tap_step;
      runs.push_back({(y * rows.tap_from_step * from.columns + x * columns.tap_from_step) *
                          from.channels,
                      (row * kernel_width + column) * from.group_channels,
                      taps * from.group_channels});
    }
  }
  return runs;
}

// Pixels of one image that read the same taps.
struct Part {
  std::vector<Run> runs;
  Tile tile;
  Index from, to;  // Where its first pixel reads and writes.
};

std::vector<Part> plan_parts(const Convolution& shape, const Side& from, const Side& to,
                             const std::vector<Segment>& rows,
                             const std::vector<Segment>& columns) {
  std::vector<Part> parts;
  parts.reserve(rows.size() * columns.size());
  for (const Segment& y : rows) {
    for (const Segment& x : columns) {
      Part& part = parts.emplace_back();
      part.runs = find_runs(y, x, shape.columns.kernel, from);
      part.tile = {{{0, from.size, to.size},  // The images are counted later.
                    {y.count, y.from_step * from.columns * from.channels,
                     y.step * to.columns * to.channels},
                    {x.count, x.from_step * from.channels, x.step * to.channels}},
                   part.runs.data(),
                   static_cast<Index>(part.runs.size()),
                   shape.rows.kernel * shape.columns.kernel * from.group_channels,
                   to.group_channels};
      part.from = (y.from * from.columns + x.from) * from.channels;
      part.to = (y.first * to.columns + x.first) * to.channels;
    }
  }
  return parts;
}

// All that the threads need besides the arrays, made before they begin: they allocate nothing.
struct Products {
  const Level* level;
  Index images, groups;
  Side from, to;
  std::vector<Part> parts;
  std::vector<float> packed;  // The kernels of all groups.

  void multiply(Index begin, Index end, const float* input, float* output) const {
    for (const Part& part : parts) {
      Tile tile = part.tile;
      tile.axes[0].count = end - begin;
      for (Index group = 0; group < groups; group++) {
        level->multiply(tile,
                        input + begin * from.size + part.from + group * from.group_channels,
                        packed.data() + group * (packed.size() / groups),
                        output + begin * to.size + part.to + group * to.group_channels);
      }
    }
  }
};

std::vector<float> pack_kernels(const Level& level, const Convolution& shape, const Side& from,
                                const Side& to, const float* kernel, bool transposed) {
  const Index rows = shape.rows.kernel * shape.columns.kernel * from.group_channels;
  const Index size = level.packed_size(rows, to.group_channels);
  std::vector<float> packed(shape.groups * size);
  for (Index group = 0; group < shape.groups; group++) {
    level.pack({shape.rows.kernel, shape.columns.kernel, shape.group_channels(),
                shape.group_filters(), transposed},
               kernel + group * shape.group_kernel_size(), packed.data() + group * size);
  }
  return packed;
}

// Parts of a batch, as large as the cache allows; each output is summed alone, so that its bits
// do not depend on them.
int choose_chunks(const Convolution& shape, int threads) {
  const Index numbers = shape.images * (shape.image_size() + shape.output_size());
  const Index wanted = std::max<Index>(numbers / kNumbersOfPart, kPartsOfThread * threads);
  return choose_parts(shape.work(), std::min(wanted, shape.images));
}

Side side_of_image(const Convolution& shape) {
  return {shape.columns.image, shape.channels, shape.group_channels(), shape.image_size()};
}

Side side_of_output(const Convolution& shape) {
  return {shape.columns.output, shape.filters, shape.group_filters(), shape.output_size()};
}

void multiply_all(const Level& level, Threads& threads, const Convolution& shape, const Side& from,
                  const Side& to, bool transposed, const float* input, const float* kernel,
                  float* output, Task finish) {
  const auto plan = transposed ? plan_image : plan_output;
  const auto products = std::make_shared<const Products>(
      Products{&level, shape.images, shape.groups, from, to,
               plan_parts(shape, from, to, plan(shape.rows), plan(shape.columns)),
               pack_kernels(level, shape, from, to, kernel, transposed)});
  const int chunks = choose_chunks(shape, threads.count());
  for_each_part(
      threads, chunks,
      [=](int chunk) {
        products->multiply(products->images * chunk / chunks,
                           products->images * (chunk + 1) / chunks, input, output);
      },
      std::move(finish));
}

}  // namespace

double Convolution::work() const {
  return static_cast<double>(images * rows.output * columns.output) * kernel_size();
}

int choose_parts(double work, Index most) {
  const double parts = std::min({work / kWorkOfPart, static_cast<double>(most), kMostParts});
  return std::max(1, static_cast<int>(parts));
}

void convolve(const Level& level, Threads& threads, const Convolution& shape, const float* image,
              const float* kernel, float* output, Task finish) {
  multiply_all(level, threads, shape, side_of_image(shape), side_of_output(shape), false, image,
               kernel, output, std::move(finish));
}

void image_gradient(const Level& level, Threads& threads, const Convolution& shape,
                    const float* gradient, const float* kernel, float* image, Task finish) {
  multiply_all(level, threads, shape, side_of_output(shape), side_of_image(shape), true, gradient,
               kernel, image, std::move(finish));
}

}  // namespace clearcnn
