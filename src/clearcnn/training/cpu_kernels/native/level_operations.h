// What the two files of a level know of each other. CLEARCNN_LEVEL names it: x86_64_v4, say.
#pragma once

#include "tiles.h"

namespace clearcnn::CLEARCNN_LEVEL {

Index packed_size(Index rows, Index columns);
void pack(const KernelShape& shape, const float* kernel, float* packed);
void multiply(const Tile& tile, const float* from, const float* packed, float* to);

}  // namespace clearcnn::CLEARCNN_LEVEL
