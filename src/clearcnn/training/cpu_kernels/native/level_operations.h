// What the files of a level know of each other. CLEARCNN_LEVEL names it: x86_64_v4, say.
#pragma once

#include "tiles.h"

namespace clearcnn::CLEARCNN_LEVEL {

Index packed_size(Index rows, Index columns);
void pack(const KernelShape& shape, const float* kernel, float* packed);
void multiply(const Tile& tile, const float* from, const float* packed, float* to);
void sum_deviations(Index rows, Index channels, const float* image, const float* pivot,
                    float* sums);
void sum_gradients(const ScaledRows& scaled, Index rows, const float* image,
                   const float* gradient, float* sums);
void normalize(const ScaledRows& scaled, const Windows& windows, const float* image,
               float* output, float* taken);
void normalize_gradient(const ScaledRows& scaled, const Windows& windows, const float* slope,
                        const float* constant, const float* image, const float* taken,
                        const float* gradient, float* result);
void pool_max(const PoolShape& shape, const float* image, const float* bias, bool relu,
              float* output, signed char* places);
void pool_max_gradient(const PoolShape& shape, const float* gradient, const signed char* places,
                       float* image, float* sums);
void pool_sum(const PoolShape& shape, const float* image, float* output);
void pool_sum_gradient(const PoolShape& shape, const float* gradient, float* image);
void frame_floats(const WarpShape& shape, const float* image, float* framed);
void frame_bytes(const WarpShape& shape, const unsigned char* image, float* framed);
void warp(const WarpShape& shape, const float* framed, const float* matrix, float* output);
void light(Index size, const float* light, float* image);
void multiply_depthwise(const Tile& tile, const float* from, const float* kernel, float* to);
void add_depthwise(const Tile& tile, const float* image, const float* gradient, float* sums);

}  // namespace clearcnn::CLEARCNN_LEVEL
