// Affine changes of images (n, height, width, channels), each with a matrix and a lighting of its
// own.
#pragma once

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

struct Warp {
  Index images;
  WarpShape shape;
  const float* matrices;  // Six numbers for each image; see Level::warp.
  const float* lights;    // Contrast and brightness of each image; null leaves both.
};

// `image` has numbers of type float or unsigned char. Gives the same bits whatever the number of
// threads, and calls `finish` when it is done; the arrays have to stay until then.
void warp(const Level& level, Threads& threads, const Warp& warp, const float* image,
          float* output, Task finish);
void warp(const Level& level, Threads& threads, const Warp& warp, const unsigned char* image,
          float* output, Task finish);

}  // namespace clearcnn
