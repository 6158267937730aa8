// Sums over rows for each channel, compiled once for each level.
#include "activations.h"
#include "level_operations.h"

namespace clearcnn::CLEARCNN_LEVEL {
namespace {

// Calls `work` with each group of vectors: its first channel, and where its last vector begins.
template <typename Work>
void for_each_group(Index channels, Work work) {
  with_width(channels, [&]<int L>() {
    const Groups<L> groups(channels);
    for (Index group = 0; group < groups.count; group++) {
      const Index first = groups.begin(group), next = groups.begin(group + 1);
      const Index channel = groups.column(first), last = groups.column(next - 1) - channel;
      with_vectors<kMostVectors>(next - first, [&]<int V>() {
        work.template operator()<L, V>(channel, last);
      });
    }
  });
}

}  // namespace

void sum_deviations(Index rows, Index channels, const float* image, const float* pivot,
                    float* sums) {
  for_each_group(channels, [&]<int L, int V>(Index channel, Index last) {
    Vector<L> total[V] = {}, squares[V] = {}, middle[V];
    const auto at = [&](int v) { return channel + (v < V - 1 ? v * L : last); };
    for (int v = 0; v < V; v++) middle[v] = load<L>(pivot + at(v));
    for (Index row = 0; row < rows; row++) {
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) {
        const Vector<L> deviation = load<L>(image + row * channels + at(v)) - middle[v];
        total[v] += deviation;
        squares[v] += deviation * deviation;
      }
    }
    for (int v = 0; v < V; v++) {
      store<L>(sums + at(v), total[v]);
      store<L>(sums + channels + at(v), squares[v]);
    }
  });
}

void sum_gradients(const ScaledRows& scaled, Index rows, const float* image,
                   const float* gradient, float* sums) {
  const Index channels = scaled.channels;
  with_activation(scaled.activation, [&]<Activation A>() {
    for_each_group(channels, [&]<int L, int V>(Index channel, Index last) {
      Vector<L> total[V] = {}, products[V] = {}, scale[V], shift[V];
      const auto at = [&](int v) { return channel + (v < V - 1 ? v * L : last); };
      for (int v = 0; v < V; v++) {
        scale[v] = load<L>(scaled.scale + at(v));
        shift[v] = load<L>(scaled.shift + at(v));
      }
      for (Index row = 0; row < rows; row++) {
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) {
          const Vector<L> pixel = load<L>(image + row * channels + at(v));
          const Vector<L> slope = times_slope<L, A>(load<L>(gradient + row * channels + at(v)),
                                                    pixel * scale[v] + shift[v]);
          total[v] += slope;
          products[v] += slope * pixel;
        }
      }
      for (int v = 0; v < V; v++) {
        store<L>(sums + at(v), total[v]);
        store<L>(sums + channels + at(v), products[v]);
      }
    });
  });
}

}  // namespace clearcnn::CLEARCNN_LEVEL
