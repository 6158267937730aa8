// Vectors of the compiler, and how a row of channels is parted into them.
//
// The last vector of a row that no width divides begins early enough to end with the row. Its first
// lanes are then computed twice, to the same bits, and no number beside the row is ever touched.
#pragma once

#include "tiles.h"

namespace clearcnn {
namespace {

#if defined(__AVX512F__)
constexpr int kWidest = 16, kRegisters = 32;
#elif defined(__AVX__)
constexpr int kWidest = 8, kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kWidest = 4, kRegisters = 32;
#else
constexpr int kWidest = 4, kRegisters = 16;
#endif

// Vectors side by side that a block keeps, and how many such rows: so that the sums, one row to
// multiply with and one factor fit the registers, and enough sums are under way to hide how long
// one takes.
constexpr int kMostVectors = kRegisters == 32 ? 4 : 2;
constexpr int most_lines(int vectors) {
  return kRegisters == 32 ? (vectors == 1 ? 16 : 24 / vectors) : 12 / vectors;
}

template <int L>
struct VectorOf {
  typedef float Aligned __attribute__((vector_size(4 * L)));
  typedef Aligned Type __attribute__((aligned(4), may_alias));
};
template <int L>
using Vector = typename VectorOf<L>::Aligned;

template <int L>
inline Vector<L> load(const float* from) {
  return *reinterpret_cast<const typename VectorOf<L>::Type*>(from);
}

template <int L>
inline void store(float* to, Vector<L> value) {
  *reinterpret_cast<typename VectorOf<L>::Type*>(to) = value;
}

// A row of columns as vectors of L, in groups of at most `most`.
template <int L>
struct Groups {
  Index columns, vectors, count;
  explicit Groups(Index columns, int most = kMostVectors)
      : columns(columns),
        vectors((columns + L - 1) / L),
        count((vectors + most - 1) / most) {}
  // The first vector of a group; groups differ by one vector at most.
  Index begin(Index group) const { return vectors * group / count; }
  // Where a vector begins in the row.
  Index column(Index vector) const {
    return vector * L <= columns - L ? vector * L : columns - L;
  }
};

// Calls `work` with the widest vectors that a row of columns holds.
template <typename Work>
inline void with_width(Index columns, Work work) {
  if constexpr (kWidest >= 16) {
    if (columns >= 16) return work.template operator()<16>();
  }
  if constexpr (kWidest >= 8) {
    if (columns >= 8) return work.template operator()<8>();
  }
  if (columns >= 4) return work.template operator()<4>();
  return work.template operator()<1>();
}

// Calls `work` with a number of vectors, 1 to `V`, that the compiler knows.
template <int V, typename Work>
inline void with_vectors(Index vectors, Work work) {
  if constexpr (V > 1) {
    if (vectors < V) return with_vectors<V - 1>(vectors, work);
  }
  work.template operator()<V>();
}

// Calls work<L>(channel) for vectors that cover each channel once: sums must not be added twice.
template <int L, typename Work>
inline void cover_channels(Index channel, Index channels, Work work) {
  for (; channel + L <= channels; channel += L) work.template operator()<L>(channel);
  if constexpr (L > 1) cover_channels<L / 2>(channel, channels, work);
}

// Parts `count` into as few parts of at most `most` as possible, as even as possible.
struct Parts {
  Index count, parts;
  Parts(Index count, Index most) : count(count), parts((count + most - 1) / most) {}
  Index begin(Index part) const { return count * part / parts; }
};

// The longest axis last: the innermost loop, or the lines of a block.
inline void sort_axes(Axis (&axes)[3]) {
  for (int i = 0; i < 2; i++) {
    if (axes[i].count > axes[i + 1].count) {
      Axis other = axes[i];
      axes[i] = axes[i + 1];
      axes[i + 1] = other;
    }
  }
}

}  // namespace
}  // namespace clearcnn
