// Draws poolings and sums over a batch, and holds the kernels to what is written down plainly.
#include "batch_sums.h"
#include "exercise.h"
#include "pooling.h"

namespace clearcnn {
namespace {

// Few values, so that there are ties.
Numbers draw_ties(Index size) {
  Numbers numbers(new float[size]);
  for (Index i = 0; i < size; i++) numbers[i] = static_cast<float>(draw(-2, 2));
  return numbers;
}

// Calls visit(number of the tap, offset in the image, offset in the output).
template <typename Visit>
void visit_taps(Index images, const PoolShape& shape, Visit visit) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  for (Index n = 0; n < images; n++)
    for (Index oy = 0; oy < rows.output; oy++)
      for (Index ox = 0; ox < columns.output; ox++)
        for (Index tap = 0; tap < rows.kernel * columns.kernel; tap++) {
          const Index y = oy * rows.stride - rows.padding + tap / columns.kernel;
          const Index x = ox * columns.stride - columns.padding + tap % columns.kernel;
          if (y < 0 || y >= rows.image || x < 0 || x >= columns.image) continue;
          visit(tap, ((n * rows.image + y) * columns.image + x) * shape.channels,
                ((n * rows.output + oy) * columns.output + ox) * shape.channels);
        }
}

}  // namespace

void exercise_pooling() {
  PoolShape shape = {draw_width(), draw_axis(1), draw_axis(1)};
  const Index images = draw(0, 3) ? draw(1, 4) : draw(20, 40);
  const Index size = images * shape.image_size(), pooled = images * shape.output_size();
  const Numbers image = draw_ties(size), gradient = draw_numbers(pooled);
  std::vector<double> sums(pooled), largest(pooled, -HUGE_VAL), image_sums(size), slopes(size);
  std::vector<Index> taken(pooled, -1), places(pooled);
  visit_taps(images, shape, [&](Index tap, Index from, Index to) {
    for (Index c = 0; c < shape.channels; c++) {
      sums[to + c] += image[from + c];
      image_sums[from + c] += gradient[to + c];
      if (image[from + c] <= largest[to + c]) continue;
      largest[to + c] = image[from + c];
      taken[to + c] = from + c;
      places[to + c] = tap;
    }
  });
  for (Index i = 0; i < pooled; i++) {
    if (taken[i] >= 0) slopes[taken[i]] += gradient[i];
    else largest[i] = -1e30;  // A window of padding alone; infinity cannot be subtracted.
  }
  for (const Level* level : available_levels()) {
    const std::unique_ptr<signed char[]> found(new signed char[pooled]);
    hold(*level, "max pooling", largest, [&](Threads& threads, float* results, Task finish) {
      max_pool(*level, threads, images, shape, image.get(), results, found.get(), [=] {
        for (Index i = 0; i < pooled; i++) results[i] = std::max(results[i], -1e30f);
        finish();
      });
    });
    for (Index i = 0; i < pooled; i++) {
      if (found[i] != places[i]) fail(level->name, "which tap was taken");
    }
    hold(*level, "max pooling's gradient", slopes,
         [&](Threads& threads, float* results, Task finish) {
           max_pool_gradient(*level, threads, images, shape, gradient.get(), found.get(), results,
                             std::move(finish));
         });
    hold(*level, "sum pooling", sums, [&](Threads& threads, float* results, Task finish) {
      sum_pool(*level, threads, images, shape, image.get(), results, std::move(finish));
    });
    hold(*level, "sum pooling's gradient", image_sums,
         [&](Threads& threads, float* results, Task finish) {
           sum_pool_gradient(*level, threads, images, shape, gradient.get(), results,
                             std::move(finish));
         });
  }
}

void exercise_sums() {
  const Index channels = draw_width(), rows = draw(0, 3) ? draw(1, 700) : draw(3000, 9000);
  const Index size = rows * channels;
  const Numbers image = draw_numbers(size), gradient = draw_numbers(size);
  const Numbers scale = draw_numbers(channels), shift = draw_numbers(channels);
  std::vector<double> both(2 * channels), slopes(2 * channels), behind_relu(2 * channels);
  for (Index i = 0; i < size; i++) {
    const Index c = i % channels;
    both[c] += image[i];
    slopes[c] += gradient[i];
    slopes[channels + c] += static_cast<double>(gradient[i]) * image[i];
    if (image[i] * scale[c] + shift[c] <= 0) continue;
    behind_relu[c] += gradient[i];
    behind_relu[channels + c] += static_cast<double>(gradient[i]) * image[i];
  }
  for (Index c = 0; c < channels; c++) both[c] /= rows;
  for (Index i = 0; i < size; i++) {
    const double distance = image[i] - both[i % channels];
    both[channels + i % channels] += distance * distance / rows;
  }
  for (const Level* level : available_levels()) {
    hold(*level, "moments", both, [&](Threads& threads, float* results, Task finish) {
      moments(*level, threads, rows, channels, image.get(), results, results + channels, [=] {
        for (Index c = 0; c < channels; c++) results[c] /= rows;
        finish();
      });
    });
    for (const bool relu : {false, true}) {
      hold(*level, relu ? "gradient sums behind ReLU" : "gradient sums",
           relu ? behind_relu : slopes, [&](Threads& threads, float* results, Task finish) {
             gradient_sums(*level, threads, {channels, scale.get(), shift.get(), relu}, rows,
                           image.get(), gradient.get(), results, results + channels,
                           std::move(finish));
           });
    }
  }
}

}  // namespace clearcnn
