#include "products.h"

namespace clearcnn {
namespace {

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

Side side_of_image(const Convolution& shape) {
  return {shape.columns.image, shape.channels, shape.group_channels(), shape.image_size()};
}

Side side_of_output(const Convolution& shape) {
  return {shape.columns.output, shape.filters, shape.group_filters(), shape.output_size()};
}

}  // namespace

Products::Products(const Level& level, const Convolution& shape, const float* kernel,
                   bool transposed)
    : level_(level),
      groups_(shape.groups),
      from_(transposed ? side_of_output(shape) : side_of_image(shape)),
      to_(transposed ? side_of_image(shape) : side_of_output(shape)) {
  const auto plan = transposed ? plan_image : plan_output;
  plan_parts(shape, plan(shape.rows), plan(shape.columns));
  pack_kernels(shape, kernel, transposed);
}

void Products::plan_parts(const Convolution& shape, const std::vector<Segment>& rows,
                          const std::vector<Segment>& columns) {
  parts_.reserve(rows.size() * columns.size());
  for (const Segment& y : rows) {
    for (const Segment& x : columns) {
      Part& part = parts_.emplace_back();
      part.runs = find_runs(y, x, shape.columns.kernel, from_);
      part.tile = {{{0, from_.size, to_.size},  // The images are counted later.
                    {y.count, y.from_step * from_.columns * from_.channels,
                     y.step * to_.columns * to_.channels},
                    {x.count, x.from_step * from_.channels, x.step * to_.channels}},
                   part.runs.data(),
                   static_cast<Index>(part.runs.size()),
                   shape.rows.kernel * shape.columns.kernel * from_.group_channels,
                   to_.group_channels};
      part.from = (y.from * from_.columns + x.from) * from_.channels;
      part.to = (y.first * to_.columns + x.first) * to_.channels;
    }
  }
}

void Products::pack_kernels(const Convolution& shape, const float* kernel, bool transposed) {
  const Index rows = shape.rows.kernel * shape.columns.kernel * from_.group_channels;
  const Index size = level_.packed_size(rows, to_.group_channels);
  packed_.resize(groups_ * size);
  for (Index group = 0; group < groups_; group++) {
    level_.pack({shape.rows.kernel, shape.columns.kernel, shape.group_channels(),
                 shape.group_filters(), transposed},
                kernel + group * shape.group_kernel_size(), packed_.data() + group * size);
  }
}

void Products::multiply(Index images, const float* input, float* output) const {
  for (const Part& part : parts_) {
    Tile tile = part.tile;
    tile.axes[0].count = images;
    for (Index group = 0; group < groups_; group++) {
      level_.multiply(tile, input + part.from + group * from_.group_channels,
                      packed_.data() + group * (packed_.size() / groups_),
                      output + part.to + group * to_.group_channels);
    }
  }
}

}  // namespace clearcnn
