// Draws convolutions that are pooled at once, and holds them to the steps one after the other.
//
// The other exercises hold the convolution and its gradients to plain sums; bias, ReLU, pooling and
// the way back through them are written down plainly here. All numbers are small integers, so that
// each sum is exact and there are ties.
#include "exercise.h"
#include "pooled_convolution.h"

namespace clearcnn {
namespace {

AxisShape draw_pooling(Index image) {
  AxisShape axis;
  do {
    axis = {image, 0, draw(1, 3), draw(1, 3), 1, 0};
    axis.padding = draw(0, axis.kernel - 1);
    const Index room = image + axis.padding + draw(0, axis.kernel - 1) - axis.kernel;
    axis.output = room < 0 ? 0 : room / axis.stride + 1;
  } while (axis.output == 0);
  return axis;
}

PooledConvolution draw_shape() {
  PooledConvolution shape;
  Convolution& convolution = shape.convolution;
  convolution = {draw(0, 3) ? draw(1, 5) : draw(6, 40), draw_width(), draw_width(), draw_axis(),
                 draw_axis()};
  while (convolution.images > 1 && convolution.work() > 1e7) convolution.images /= 2;
  shape.pool = {convolution.filters, draw_pooling(convolution.rows.output),
                draw_pooling(convolution.columns.output)};
  shape.relu = draw(0, 1);
  return shape;
}

std::vector<double> widen(const float* numbers, Index size) { return {numbers, numbers + size}; }

void do_nothing() {}

}  // namespace

void exercise_pooled_convolution() {
  const PooledConvolution shape = draw_shape();
  const Convolution& convolution = shape.convolution;
  const Index images = convolution.images, filters = convolution.filters;
  const Index image_size = images * convolution.image_size();
  const Index size = images * convolution.output_size(), pooled = images * shape.pooled_size();
  const Numbers image = draw_ties(image_size), kernel = draw_ties(convolution.kernel_size());
  const Numbers bias = draw_ties(filters), gradient = draw_ties(pooled);
  const Numbers convolved(new float[size]), spread(new float[size]());
  const Numbers image_slopes(new float[image_size]);
  const Numbers kernel_slopes(new float[convolution.kernel_size() + filters]());
  for (const Level* level : available_levels()) {
    OwnThreads alone(1);
    convolve(*level, alone, convolution, image.get(), kernel.get(), convolved.get(), do_nothing);
    std::vector<double> largest(pooled, -HUGE_VAL);
    std::vector<Index> taken(pooled), places(pooled);
    visit_taps(images, shape.pool, [&](Index tap, Index from, Index to) {
      for (Index c = 0; c < filters; c++) {
        if (convolved[from + c] <= largest[to + c]) continue;
        largest[to + c] = convolved[from + c];
        taken[to + c] = from + c;
        places[to + c] = tap;
      }
    });
    std::fill_n(spread.get(), size, 0.0f);
    std::fill_n(kernel_slopes.get() + convolution.kernel_size(), filters, 0.0f);
    for (Index i = 0; i < pooled; i++) {
      largest[i] += bias[i % filters];
      if (shape.relu && largest[i] <= 0) {
        largest[i] = 0;
        places[i] = -1;
        continue;
      }
      spread[taken[i]] += gradient[i];
      kernel_slopes[convolution.kernel_size() + i % filters] += gradient[i];
    }
    image_gradient(*level, alone, convolution, spread.get(), kernel.get(), image_slopes.get(),
                   do_nothing);
    kernel_gradient(*level, alone, convolution, image.get(), spread.get(), kernel_slopes.get(),
                    do_nothing);

    const std::unique_ptr<signed char[]> found(new signed char[pooled]);
    hold(*level, "pooled convolution", largest,
         [&](Threads& threads, float* results, Task finish) {
           convolve_pooled(*level, threads, shape, image.get(), kernel.get(), bias.get(), results,
                           found.get(), std::move(finish));
         });
    for (Index i = 0; i < pooled; i++) {
      if (found[i] != places[i]) fail(level->name, "which tap the pooled convolution took");
    }
    hold(*level, "pooled convolution's image gradient", widen(image_slopes.get(), image_size),
         [&](Threads& threads, float* results, Task finish) {
           pooled_image_gradient(*level, threads, shape, gradient.get(), found.get(),
                                 kernel.get(), results, std::move(finish));
         });
    hold(*level, "pooled convolution's gradients of kernel and bias",
         widen(kernel_slopes.get(), convolution.kernel_size() + filters),
         [&](Threads& threads, float* results, Task finish) {
           pooled_kernel_gradient(*level, threads, shape, image.get(), gradient.get(),
                                  found.get(), results, results + convolution.kernel_size(),
                                  std::move(finish));
         });
  }
}

}  // namespace clearcnn
