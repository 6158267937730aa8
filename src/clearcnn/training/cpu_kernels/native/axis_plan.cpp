#include "axis_plan.h"

namespace clearcnn {
namespace {

// Where tap number `tap` reads for a pixel; less than zero if it reads nothing.
using Reads = Index (*)(const AxisShape&, Index pixel, Index tap);

Index reads_image(const AxisShape& shape, Index pixel, Index tap) {
  const Index at = pixel * shape.stride - shape.padding + tap * shape.dilation;
  return at < shape.image ? at : -1;
}

Index reads_output(const AxisShape& shape, Index pixel, Index tap) {
  const Index at = pixel + shape.padding - (shape.kernel - 1 - tap) * shape.dilation;
  if (at < 0 || at % shape.stride) return -1;
  return at / shape.stride < shape.output ? at / shape.stride : -1;
}

Segment one_pixel(const AxisShape& shape, Reads reads, Index pixel) {
  Segment segment = {pixel, 1, 1, 0, 0, 0, 1, 0, 0};
  for (Index tap = 0; tap < shape.kernel; tap++) {
    const Index at = reads(shape, pixel, tap);
    if (at < 0) continue;
    if (segment.num_taps == 0) {
      segment.tap = tap;
      segment.from = at;
    } else if (segment.num_taps == 1) {
      segment.tap_step = tap - segment.tap;
      segment.tap_from_step = at - segment.from;
    }
    segment.num_taps++;
  }
  return segment;
}

bool same_taps(const Segment& one, const Segment& other) {
  return one.tap == other.tap && one.num_taps == other.num_taps && one.tap_step == other.tap_step;
}

void add_pixels(std::vector<Segment>& segments, const AxisShape& shape, Reads reads, Index begin,
                Index end, Index step, Index from_step) {
  const std::size_t before = segments.size();
  for (Index pixel = begin; pixel < end; pixel += step) {
    Segment segment = one_pixel(shape, reads, pixel);
    if (segments.size() > before && same_taps(segments.back(), segment)) {
      segments.back().count++;
      continue;
    }
    segment.step = step;
    segment.from_step = from_step;
    segments.push_back(segment);
  }
}

}  // namespace

std::vector<Segment> plan_output(const AxisShape& shape) {
  std::vector<Segment> segments;
  add_pixels(segments, shape, reads_image, 0, shape.output, 1, shape.stride);
  return segments;
}

std::vector<Segment> plan_image(const AxisShape& shape) {
  std::vector<Segment> segments;
  for (Index begin = 0; begin < shape.stride; begin++) {
    add_pixels(segments, shape, reads_output, begin, shape.image, shape.stride, 1);
  }
  return segments;
}

}  // namespace clearcnn
