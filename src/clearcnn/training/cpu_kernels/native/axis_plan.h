// Along one axis, which pixels read the same taps of a kernel.
#pragma once

#include <vector>

#include "tiles.h"

namespace clearcnn {

// Pixels first, first + step, … that read the same taps. The taps read at `from`, `from` +
// tap_from_step, … for the first pixel, and from_step further on for each other.
struct Segment {
  Index first, count, step, from_step;
  Index tap, num_taps, tap_step, from, tap_from_step;
};

// The pixels of the output, and what they read of the image.
std::vector<Segment> plan_output(const AxisShape& shape);

// The pixels of the image's gradient, and what they read of the output's; taps are counted from
// the last one, so that they too read forward.
std::vector<Segment> plan_image(const AxisShape& shape);

}  // namespace clearcnn
