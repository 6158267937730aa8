// Draws poolings and sums over a batch, and holds the kernels to what is written down plainly.
#include "batch_sums.h"
#include "exercise.h"
#include "normalize.h"
#include "pooling.h"

namespace clearcnn {
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

namespace {

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::relu: return x > 0 ? x : 0;
    case Activation::gelu: return x * std::erfc(-x * std::sqrt(0.5)) / 2;
    case Activation::tanh_gelu:
      return x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))) / 2;
    default: return x;
  }
}

double slope_of(Activation activation, double x) {
  if (activation == Activation::relu) return x > 0;  // Not between its two sides.
  const double step = 1e-5;
  return (activated(activation, x + step) - activated(activation, x - step)) / (2 * step);
}

constexpr Activation kActivations[] = {Activation::linear, Activation::relu, Activation::gelu,
                                       Activation::tanh_gelu};

}  // namespace

void exercise_sums() {
  const Index channels = draw_width(), rows = draw(0, 3) ? draw(1, 700) : draw(3000, 9000);
  const Index size = rows * channels;
  const Numbers image = draw_numbers(size), gradient = draw_numbers(size);
  const Numbers scale = draw_numbers(channels), shift = draw_numbers(channels);
  std::vector<double> both(2 * channels);
  Sums deviations(channels), squares(channels);  // From the first row, as in the kernel.
  for (Index i = 0; i < size; i++) {
    const double deviation = static_cast<double>(image[i]) - image[i % channels];
    both[i % channels] += image[i];
    deviations.add(i % channels, deviation / rows);
    squares.add(i % channels, deviation * deviation / rows);
  }
  for (Index c = 0; c < channels; c++) both[c] /= rows;
  for (Index i = 0; i < size; i++) {
    const double distance = image[i] - both[i % channels];
    both[channels + i % channels] += distance * distance / rows;
  }
  std::vector<double> limits(2 * channels);
  for (Index c = 0; c < channels; c++) {
    // The variance is the mean square minus the square of the mean: the errors of both remain,
    // however much of them cancels out.
    const double of_mean = limit_of_sum(deviations.sizes[c]);
    limits[c] = of_mean + kRounding * std::abs(both[c]);
    limits[channels + c] =
        limit_of_sum(squares.sizes[c]) + 2 * std::abs(deviations.values[c]) * of_mean;
  }
  const Activation activation = kActivations[draw(0, 3)];
  // An activation is as exact as 1, however small its slope, and no slope is much above 1.
  std::vector<double> slopes(2 * channels), limits_of_slopes(2 * channels);
  for (Index i = 0; i < size; i++) {
    const Index c = i % channels;
    const double scaled = static_cast<double>(image[i]) * scale[c], line = scaled + shift[c];
    const double slope = gradient[i] * slope_of(activation, line);
    slopes[c] += slope;
    slopes[channels + c] += slope * image[i];
    // The slope of ReLU jumps at zero, and the kernel rounds the line once or twice: a processor
    // without multiply-add rounds the product too.
    const double size_of_line = std::abs(scaled) + std::abs(line);
    const bool jumps = activation == Activation::relu && std::abs(line) <= kRounding * size_of_line;
    const double limit = std::abs(gradient[i]) * (jumps ? 1 : limit_of_sum(1));
    limits_of_slopes[c] += limit;
    limits_of_slopes[channels + c] += limit * std::abs(image[i]);
  }
  for (const Level* level : available_levels()) {
    hold(*level, "moments", both, limits, [&](Threads& threads, float* results, Task finish) {
      moments(*level, threads, rows, channels, image.get(), results, results + channels,
              std::move(finish));
    });
    hold(*level, "gradient sums", slopes, limits_of_slopes,
         [&](Threads& threads, float* results, Task finish) {
           gradient_sums(*level, threads, {channels, scale.get(), shift.get(), activation}, rows,
                         image.get(), gradient.get(), results, results + channels,
                         std::move(finish));
         });
  }
}

void exercise_normalization() {
  const Index channels = draw_width(), images = draw(0, 3) ? draw(1, 4) : draw(20, 40);
  const Index counted = draw(1, images);
  const Index side = draw(0, 3) ? draw(1, 2) : 0;
  const Windows windows = {draw(4, 11), draw(4, 11), side ? side : draw(1, 4),
                           side ? side : draw(1, 4)};
  const bool is_pooled = windows.height * windows.width > 1;
  const Index pixels = windows.rows * windows.columns, size = images * pixels * channels;
  const Index pooled = images * windows.count() * channels;
  const Numbers image = draw_ties(size), gradient = draw_numbers(pooled);
  const Numbers scale = draw_numbers(channels), shift = draw_numbers(channels);
  const Numbers factor = draw_numbers(channels), term = draw_numbers(channels);
  const Activation activation = kActivations[draw(0, 3)];
  std::vector<double> largest(pooled, -HUGE_VAL), taken(pooled), slopes(size);
  for (Index i = 0; i < size; i++) slopes[i] = image[i] * factor[i % channels] + term[i % channels];
  for (Index n = 0, to = 0; n < images; n++)
    for (Index y = 0; y < windows.rows / windows.height; y++)
      for (Index x = 0; x < windows.columns / windows.width; x++)
        for (Index c = 0; c < channels; c++, to++) {
          Index place = -1;
          double line = 0;
          for (Index tap = 0; tap < windows.height * windows.width; tap++) {
            const Index row = y * windows.height + tap / windows.width;
            const Index column = x * windows.width + tap % windows.width;
            const Index at = ((n * windows.rows + row) * windows.columns + column) * channels + c;
            const double next = static_cast<double>(image[at]) * scale[c] + shift[c];
            const double value = activated(activation, next);
            if (value <= largest[to]) continue;
            largest[to] = value;
            line = next;
            place = at;
          }
          taken[to] = image[place];
          slopes[place] += gradient[to] * slope_of(activation, line) * scale[c];
        }
  std::fill(slopes.begin() + counted * pixels * channels, slopes.end(), 0);
  const Numbers found(new float[is_pooled ? pooled : 1]);
  for (const Level* level : available_levels()) {
    const ScaledRows scaled = {channels, scale.get(), shift.get(), activation};
    hold(*level, "normalization", largest, [&](Threads& threads, float* results, Task finish) {
      normalize_images(*level, threads, images, scaled, windows, image.get(), results,
                       is_pooled ? found.get() : nullptr, std::move(finish));
    });
    for (Index i = 0; is_pooled && i < pooled; i++) {
      // All below zero are one to ReLU, and where the slope is zero it matters to nobody.
      if (found[i] != taken[i] && largest[i] > 0) fail(level->name, "what was taken");
    }
    hold(*level, "normalization's gradient", slopes,
         [&](Threads& threads, float* results, Task finish) {
           normalize_images_gradient(*level, threads, images, counted, scaled, windows,
                                     factor.get(), term.get(), image.get(),
                                     is_pooled ? found.get() : image.get(), gradient.get(), results,
                                     std::move(finish));
         });
  }
}

}  // namespace clearcnn
