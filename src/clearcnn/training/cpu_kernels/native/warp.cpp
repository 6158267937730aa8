#include "warp.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace clearcnn {
namespace {

// Numbers that one part repays its thread for, and the most parts.
constexpr Index kNumbersOfPart = 1 << 13, kMostParts = 32;

template <typename Pixel>
void warp_images(const Level& level, Threads& threads, const Warp& warp, const Pixel* image,
                 void (*frame)(const WarpShape&, const Pixel*, float*), float* output,
                 Task finish) {
  const Index size = warp.shape.size(), framed_size = warp.shape.framed_size();
  const Index most = std::max<Index>(1, std::min(warp.images, kMostParts));
  const int parts =
      static_cast<int>(std::clamp<Index>(warp.images * size / kNumbersOfPart, 1, most));
  const auto frames = std::make_shared<std::vector<float>>(parts * framed_size);
  for_each_part(
      threads, parts,
      [=, &level](int part) {
        float* framed = frames->data() + part * framed_size;
        const Index end = warp.images * (part + 1) / parts;
        for (Index n = warp.images * part / parts; n < end; n++) {
          frame(warp.shape, image + n * size, framed);
          level.warp(warp.shape, framed, warp.matrices + 6 * n, output + n * size);
          if (warp.lights != nullptr) level.light(size, warp.lights + 2 * n, output + n * size);
        }
      },
      std::move(finish));
}

}  // namespace

void warp(const Level& level, Threads& threads, const Warp& warp, const float* image,
          float* output, Task finish) {
  warp_images(level, threads, warp, image, level.frame_floats, output, std::move(finish));
}

void warp(const Level& level, Threads& threads, const Warp& warp, const unsigned char* image,
          float* output, Task finish) {
  warp_images(level, threads, warp, image, level.frame_bytes, output, std::move(finish));
}

}  // namespace clearcnn
