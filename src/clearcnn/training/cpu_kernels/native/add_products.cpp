// The products of the kernel's gradient, and what a level provides, compiled once for each level.
#include "level_operations.h"
#include "vectors.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

// R rows and V vectors of filters, whose sums over all pixels of the walk stay in registers.
template <int L, int V, int R>
void add_block(const Axis (&axes)[3], const float* image, const float* gradient, float* sums,
               Index columns, Index last) {
  Vector<L> totals[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      totals[r][v] = load<L>(sums + r * columns + (v < V - 1 ? v * L : last));
    }
  }
  for (Index i = 0; i < axes[0].count; i++) {
    for (Index j = 0; j < axes[1].count; j++) {
      const float* from = image + i * axes[0].from_step + j * axes[1].from_step;
      const float* beside = gradient + i * axes[0].to_step + j * axes[1].to_step;
      for (Index k = 0; k < axes[2].count; k++) {
        Vector<L> row[V];
#pragma GCC unroll 4
        for (int v = 0; v < V - 1; v++) row[v] = load<L>(beside + v * L);
        row[V - 1] = load<L>(beside + last);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
          const float factor = from[r];
#pragma GCC unroll 4
          for (int v = 0; v < V; v++) totals[r][v] += row[v] * factor;
        }
        from += axes[2].from_step;
        beside += axes[2].to_step;
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      store<L>(sums + r * columns + (v < V - 1 ? v * L : last), totals[r][v]);
    }
  }
}

using Block = void (*)(const Axis (&)[3], const float*, const float*, float*, Index, Index);

template <int L, int V, int R>
Block find_block(Index rows) {
  if constexpr (R == 1) {
    return add_block<L, V, 1>;
  } else {
    return rows == R ? add_block<L, V, R> : find_block<L, V, R - 1>(rows);
  }
}

template <int L, int V>
void add_vectors(Index vectors, const Walk& walk, const float* image, const float* gradient,
                 float* sums, Index last) {
  if constexpr (V > 1) {
    if (vectors < V) return add_vectors<L, V - 1>(vectors, walk, image, gradient, sums, last);
  }
  const Parts blocks(walk.rows, most_lines(V));
  for (Index number = 0; number < blocks.parts; number++) {
    const Index begin = blocks.begin(number), rows = blocks.begin(number + 1) - begin;
    const Block block = find_block<L, V, most_lines(V)>(rows);
    block(walk.axes, image + begin, gradient, sums + begin * walk.columns, walk.columns, last);
  }
}

void add_products(const Walk& unsorted, const float* image, const float* gradient, float* sums) {
  Walk walk = unsorted;
  sort_axes(walk.axes);
  with_width(walk.columns, [&]<int L>() {
    const Groups<L> groups(walk.columns);
    for (Index group = 0; group < groups.count; group++) {
      const Index first = groups.begin(group), next = groups.begin(group + 1);
      const Index column = groups.column(first), last = groups.column(next - 1) - column;
      add_vectors<L, kMostVectors>(next - first, walk, image, gradient + column, sums + column,
                                   last);
    }
  });
}

#define CLEARCNN_TEXT_OF(name) #name
#define CLEARCNN_TEXT(name) CLEARCNN_TEXT_OF(name)

}  // namespace

extern const Level level = {CLEARCNN_TEXT(CLEARCNN_LEVEL), packed_size, pack, multiply,
                            add_products, sum_deviations, sum_gradients, normalize,
                            normalize_gradient, pool_max, pool_max_gradient, pool_sum,
                             pool_sum_gradient, frame_floats, frame_bytes, warp, light,
                             multiply_depthwise, add_depthwise};

}  // namespace clearcnn::CLEARCNN_LEVEL
