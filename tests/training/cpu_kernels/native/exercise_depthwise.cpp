// Draws depthwise convolutions, and holds the kernels to sums written down plainly.
#include "depthwise.h"
#include "exercise.h"

namespace clearcnn {

void exercise_depthwise() {
  const Depthwise shape = {draw(0, 3) ? draw(1, 4) : draw(20, 40), draw_width(), draw_axis(),
                           draw_axis()};
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  const Index images = shape.images, channels = shape.channels;
  const Index size = images * shape.image_size(), pixels = images * shape.output_size();
  const Index weights = shape.kernel_size();
  const Numbers image = draw_numbers(size), kernel = draw_numbers(weights);
  const Numbers gradient = draw_numbers(pixels);
  Sums output(pixels), of_image(size), of_kernel(weights);
  for (Index n = 0; n < images; n++)
    for (Index oy = 0; oy < rows.output; oy++)
      for (Index ox = 0; ox < columns.output; ox++)
        for (Index tap = 0; tap < rows.kernel * columns.kernel; tap++) {
          const Index y = oy * rows.stride - rows.padding + tap / columns.kernel * rows.dilation;
          const Index x =
              ox * columns.stride - columns.padding + tap % columns.kernel * columns.dilation;
          if (y < 0 || y >= rows.image || x < 0 || x >= columns.image) continue;
          for (Index c = 0; c < channels; c++) {
            const Index from = ((n * rows.image + y) * columns.image + x) * channels + c;
            const Index to = ((n * rows.output + oy) * columns.output + ox) * channels + c;
            const double pixel = image[from], weight = kernel[tap * channels + c];
            output.add(to, pixel * weight);
            of_image.add(from, gradient[to] * weight);
            of_kernel.add(tap * channels + c, pixel * gradient[to]);
          }
        }
  for (const Level* level : available_levels()) {
    hold(*level, "depthwise", output.values, limits_of(output),
         [&](Threads& threads, float* results, Task finish) {
           convolve_depthwise(*level, threads, shape, image.get(), kernel.get(), results,
                              std::move(finish));
         });
    hold(*level, "depthwise, image gradient", of_image.values, limits_of(of_image),
         [&](Threads& threads, float* results, Task finish) {
           depthwise_image_gradient(*level, threads, shape, gradient.get(), kernel.get(),
                                     results, std::move(finish));
         });
    hold(*level, "depthwise, kernel gradient", of_kernel.values, limits_of(of_kernel),
         [&](Threads& threads, float* results, Task finish) {
           depthwise_kernel_gradient(*level, threads, shape, image.get(), gradient.get(),
                                      results, std::move(finish));
         });
  }
}

}  // namespace clearcnn
