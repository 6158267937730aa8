// The sums over a whole batch that batch normalization and its gradient need.
#pragma once

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

// Of float32 (rows, channels): the mean of each channel, and its variance. `finish` is called when
// both are there; the arrays have to stay until then.
void moments(const Level& level, Threads& threads, Index rows, Index channels, const float* image,
             float* mean, float* variance, Task finish);

// Of float32 (rows, channels): for each channel, the sum of the gradient, and of gradient times
// image. The gradient given is the one behind activation(scale * image + shift).
void gradient_sums(const Level& level, Threads& threads, const ScaledRows& scaled, Index rows,
                   const float* image, const float* gradient, float* sum, float* products,
                   Task finish);

}  // namespace clearcnn
