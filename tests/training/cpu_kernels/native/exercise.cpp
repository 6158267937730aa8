// Draws convolutions, poolings and batches, and holds the kernels of every level to results written down plainly, in double.
//
// Run under sanitizers: every array has just the size that it needs, so that a number beside it is
// noticed, and the parts are worked on by threads of its own.
//
//     exercise SEED ROUNDS
#include "convolution.h"
#include "exercise.h"

namespace {

using namespace clearcnn;

struct Drawn {
  Convolution shape;
  Numbers image, kernel, gradient;
  Index image_size, gradient_size;
};

Drawn draw_convolution() {
  Drawn drawn;
  const Index groups = draw(0, 2) ? 1 : draw(2, 4);
  drawn.shape = {draw(0, 3) ? draw(1, 5) : draw(6, 40), groups * draw_width(),
                 groups * draw_width(), draw_axis(), draw_axis(), groups};
  Convolution& shape = drawn.shape;
  while (shape.images > 1 && shape.work() > 2e7) shape.images /= 2;
  drawn.image_size = shape.images * shape.image_size();
  drawn.gradient_size = shape.images * shape.output_size();
  drawn.image = draw_numbers(drawn.image_size);
  drawn.kernel = draw_numbers(shape.kernel_size());
  drawn.gradient = draw_numbers(drawn.gradient_size);
  return drawn;
}

// Calls visit(image index, kernel index, output index) for the first number of each product.
template <typename Visit>
void visit_products(const Convolution& shape, Visit visit) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  for (Index n = 0; n < shape.images; n++)
    for (Index oy = 0; oy < rows.output; oy++)
      for (Index ox = 0; ox < columns.output; ox++)
        for (Index ky = 0; ky < rows.kernel; ky++)
          for (Index kx = 0; kx < columns.kernel; kx++) {
            const Index y = oy * rows.stride - rows.padding + ky * rows.dilation;
            const Index x = ox * columns.stride - columns.padding + kx * columns.dilation;
            if (y < 0 || y >= rows.image || x < 0 || x >= columns.image) continue;
            visit(((n * rows.image + y) * columns.image + x) * shape.channels,
                  (ky * columns.kernel + kx) * shape.group_channels() * shape.group_filters(),
                  ((n * rows.output + oy) * columns.output + ox) * shape.filters);
          }
}

struct Wanted {
  Sums output, image, kernel;
};

Wanted sum_plainly(const Drawn& drawn) {
  const Convolution& shape = drawn.shape;
  Wanted wanted = {Sums(drawn.gradient_size), Sums(drawn.image_size), Sums(shape.kernel_size())};
  visit_products(shape, [&](Index image, Index kernel, Index output) {
    const Index channels = shape.group_channels(), filters = shape.group_filters();
    for (Index c = 0; c < shape.channels; c++)
      for (Index f = c / channels * filters; f < (c / channels + 1) * filters; f++) {
        const Index k = kernel + c / channels * shape.group_kernel_size() +
                        c % channels * filters + f % filters;
        const double weight = drawn.kernel[k], pixel = drawn.image[image + c];
        const double gradient = drawn.gradient[output + f];
        wanted.output.add(output + f, pixel * weight);
        wanted.image.add(image + c, gradient * weight);
        wanted.kernel.add(k, pixel * gradient);
      }
  });
  return wanted;
}

// Holds one operation to its sums; says the shape if it is wrong.
using Convolve = void (*)(const Level&, Threads&, const Convolution&, const float*, const float*,
                          float*, Task);

void hold_convolution(const Level& level, const char* what, Convolve convolve, const Drawn& drawn,
                      const float* first, const float* second,
                      const Sums& wanted) {
  const Convolution& s = drawn.shape;
  char name[400];
  std::snprintf(name, sizeof name,
                "%s: %lld images, %lld channels, %lld filters, %lld groups; rows %lld to %lld, kernel %lld, "
                "stride %lld, dilation %lld, padding %lld; columns %lld to %lld, kernel %lld, "
                "stride %lld, dilation %lld, padding %lld",
                what, s.images, s.channels, s.filters, s.groups, s.rows.image, s.rows.output, s.rows.kernel,
                s.rows.stride, s.rows.dilation, s.rows.padding, s.columns.image, s.columns.output,
                s.columns.kernel, s.columns.stride, s.columns.dilation, s.columns.padding);
  hold(level, name, wanted.values, limits_of(wanted),
       [&](Threads& threads, float* results, Task finish) {
         convolve(level, threads, s, first, second, results, std::move(finish));
       });
}

}  // namespace

int main(int, char** arguments) {
  random_bits.seed(std::atoll(arguments[1]));
  for (int round = 0; round < std::atoi(arguments[2]); round++) {
    const Drawn drawn = draw_convolution();
    const Wanted wanted = sum_plainly(drawn);
    const float *image = drawn.image.get(), *kernel = drawn.kernel.get();
    const float* gradient = drawn.gradient.get();
    for (const Level* level : available_levels()) {
      hold_convolution(*level, "output", convolve, drawn, image, kernel, wanted.output);
      hold_convolution(*level, "image gradient", image_gradient, drawn, gradient, kernel,
                       wanted.image);
      hold_convolution(*level, "kernel gradient", kernel_gradient, drawn, image, gradient,
                       wanted.kernel);
    }
    exercise_pooling();
    exercise_pooled_convolution();
    exercise_sums();
    exercise_normalization();
    exercise_warp();
    exercise_depthwise();
  }
  for (const Level* level : available_levels()) std::printf("%s ", level->name);
  return 0;
}
