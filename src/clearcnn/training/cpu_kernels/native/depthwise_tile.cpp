// Depthwise convolution of a tile of pixels, compiled once for each level.
#include "level_operations.h"
#include "vectors.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

// Pixels side by side, or taps, whose sums stay in registers.
constexpr int kMostPixels = 8, kMostTaps = kRegisters == 32 ? 12 : 9;

// P pixels; a tap's weights are loaded once for all of them.
template <int L, int P>
void multiply_block(const Tile& tile, const float* from, const float* kernel, float* to) {
  const Index from_step = tile.axes[2].from_step, to_step = tile.axes[2].to_step;
  Vector<L> totals[P] = {};
  for (Index i = 0; i < tile.num_runs; i++) {
    const float* pixel = from + tile.runs[i].from;
    const Vector<L> weight = load<L>(kernel + tile.runs[i].row * tile.columns);
#pragma GCC unroll 8
    for (int p = 0; p < P; p++) totals[p] += load<L>(pixel + p * from_step) * weight;
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; p++) store<L>(to + p * to_step, totals[p]);
}

template <int L, int P = kMostPixels>
void multiply_pixels(Index pixels, const Tile& tile, const float* from, const float* kernel,
                     float* to) {
  if constexpr (P > 1) {
    if (pixels < P) return multiply_pixels<L, P - 1>(pixels, tile, from, kernel, to);
  }
  multiply_block<L, P>(tile, from, kernel, to);
}

// R taps, whose sums over all pixels of the tile stay in registers.
template <int L, int R>
void add_block(const Tile& tile, const Run* runs, const float* image, const float* gradient,
               float* sums) {
  Index offsets[R];
  Vector<L> totals[R] = {};
  for (int r = 0; r < R; r++) offsets[r] = runs[r].from;
  for (Index i = 0; i < tile.axes[0].count; i++) {
    for (Index j = 0; j < tile.axes[1].count; j++) {
      const float* from = image + i * tile.axes[0].from_step + j * tile.axes[1].from_step;
      const float* beside = gradient + i * tile.axes[0].to_step + j * tile.axes[1].to_step;
      for (Index k = 0; k < tile.axes[2].count; k++) {
        const Vector<L> slope = load<L>(beside);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) totals[r] += load<L>(from + offsets[r]) * slope;
        from += tile.axes[2].from_step;
        beside += tile.axes[2].to_step;
      }
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < R; r++) {
    float* sum = sums + runs[r].row * tile.columns;
    store<L>(sum, load<L>(sum) + totals[r]);
  }
}

template <int L, int R = kMostTaps>
void add_taps(Index taps, const Tile& tile, const Run* runs, const float* image,
              const float* gradient, float* sums) {
  if constexpr (R > 1) {
    if (taps < R) return add_taps<L, R - 1>(taps, tile, runs, image, gradient, sums);
  }
  add_block<L, R>(tile, runs, image, gradient, sums);
}

}  // namespace

void multiply_depthwise(const Tile& unsorted, const float* from, const float* kernel, float* to) {
  Tile tile = unsorted;
  sort_axes(tile.axes);
  const Axis(&axes)[3] = tile.axes;
  const Parts blocks(axes[2].count, kMostPixels);
  with_width(tile.columns, [&]<int L>() {
    const Groups<L> groups(tile.columns);
    for (Index i = 0; i < axes[0].count; i++) {
      for (Index j = 0; j < axes[1].count; j++) {
        const float* read = from + i * axes[0].from_step + j * axes[1].from_step;
        float* written = to + i * axes[0].to_step + j * axes[1].to_step;
        for (Index vector = 0; vector < groups.vectors; vector++) {
          const Index column = groups.column(vector);
          for (Index block = 0; block < blocks.parts; block++) {
            const Index first = blocks.begin(block), pixels = blocks.begin(block + 1) - first;
            multiply_pixels<L>(pixels, tile, read + first * axes[2].from_step + column,
                               kernel + column, written + first * axes[2].to_step + column);
          }
        }
      }
    }
  });
}

void add_depthwise(const Tile& unsorted, const float* image, const float* gradient, float* sums) {
  Tile tile = unsorted;
  sort_axes(tile.axes);
  const Parts blocks(tile.num_runs, kMostTaps);
  cover_channels<kWidest>(0, tile.columns, [&]<int L>(Index column) {
    for (Index block = 0; block < blocks.parts; block++) {
      const Index first = blocks.begin(block), taps = blocks.begin(block + 1) - first;
      add_taps<L>(taps, tile, tile.runs + first, image + column, gradient + column,
                  sums + column);
    }
  });
}

}  // namespace clearcnn::CLEARCNN_LEVEL
