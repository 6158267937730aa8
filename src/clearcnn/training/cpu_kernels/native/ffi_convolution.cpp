// What XLA calls for convolutions: checks shapes, and begins the work.
#include <algorithm>

#include "convolution.h"
#include "ffi_call.h"

namespace clearcnn {
namespace {

using Work = void (*)(const Level&, Threads&, const Convolution&, const float*, const float*,
                      float*, Task);

ffi::Future run(Work work, ffi::ThreadPool pool, Sizes image, Sizes kernel, Sizes output,
                Sizes strides, Sizes dilation, Sizes padding, const float* first,
                const float* second, float* result) {
  bool fits = image.size() == 4 && kernel.size() == 4 && output.size() == 2 &&
              strides.size() == 2 && dilation.size() == 2 && padding.size() == 4;
  Convolution shape = {};
  if (fits) {
    // The kernels of the groups lie below each other.
    const Index groups = kernel[2] > 0 ? std::max<Index>(1, image[3] / kernel[2]) : 1;
    const Index height = kernel[0] / groups;
    shape = {image[0], image[3], kernel[3] * groups,
             make_axis(image[1], height, strides[0], dilation[0], padding[0], padding[1]),
             make_axis(image[2], kernel[1], strides[1], dilation[1], padding[2], padding[3]),
             groups};
    fits = kernel[2] * groups == image[3] && height * groups == kernel[0] &&
           output[1] == shape.filters &&
           output[0] == image[0] * shape.rows.output * shape.columns.output;
  }
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    work(level, threads, shape, first, second, result, std::move(finish));
  });
}

ffi::Future run_convolve(ffi::ThreadPool pool, Array image, Array kernel,
                         ffi::Result<Array> output, Sizes strides, Sizes dilation, Sizes padding) {
  return run(convolve, pool, image.dimensions(), kernel.dimensions(), output->dimensions(),
             strides, dilation, padding, image.typed_data(), kernel.typed_data(),
             output->typed_data());
}

ffi::Future run_image_gradient(ffi::ThreadPool pool, Array gradient, Array kernel,
                               ffi::Result<Array> image, Sizes strides, Sizes dilation,
                               Sizes padding) {
  return run(image_gradient, pool, image->dimensions(), kernel.dimensions(), gradient.dimensions(),
             strides, dilation, padding, gradient.typed_data(), kernel.typed_data(),
             image->typed_data());
}

ffi::Future run_kernel_gradient(ffi::ThreadPool pool, Array image, Array gradient,
                                ffi::Result<Array> kernel, Sizes strides, Sizes dilation,
                                Sizes padding) {
  return run(kernel_gradient, pool, image.dimensions(), kernel->dimensions(),
             gradient.dimensions(), strides, dilation, padding, image.typed_data(),
             gradient.typed_data(), kernel->typed_data());
}

auto bind() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<Array>()
      .Arg<Array>()
      .Ret<Array>()
      .Attr<Sizes>("strides")
      .Attr<Sizes>("dilation")
      .Attr<Sizes>("padding");  // Above, below, left, right.
}

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_convolve, clearcnn::run_convolve, clearcnn::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_image_gradient, clearcnn::run_image_gradient,
                              clearcnn::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_kernel_gradient, clearcnn::run_kernel_gradient,
                              clearcnn::bind());

// The name of the level of instructions that this processor gets, or null.
extern "C" const char* clearcnn_level() {
  const clearcnn::Level* level = clearcnn::best_level();
  return level == nullptr ? nullptr : level->name;
}

#pragma GCC visibility pop
