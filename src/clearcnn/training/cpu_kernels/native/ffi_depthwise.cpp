// What XLA calls for depthwise convolutions: checks shapes, and begins the work.
#include "depthwise.h"
#include "ffi_call.h"

namespace clearcnn {
namespace {

using Work = void (*)(const Level&, Threads&, const Depthwise&, const float*, const float*,
                      float*, Task);

ffi::Future run(Work work, ffi::ThreadPool pool, Sizes image, Sizes kernel, Sizes output,
                Sizes strides, Sizes dilation, Sizes padding, const float* first,
                const float* second, float* result) {
  bool fits = image.size() == 4 && kernel.size() == 4 && output.size() == 4 &&
              strides.size() == 2 && dilation.size() == 2 && padding.size() == 4;
  Depthwise shape = {};
  if (fits) {
    shape = {image[0], image[3],
             make_axis(image[1], kernel[0], strides[0], dilation[0], padding[0], padding[1]),
             make_axis(image[2], kernel[1], strides[1], dilation[1], padding[2], padding[3])};
    fits = kernel[2] == 1 && kernel[3] == image[3] && output[0] == image[0] &&
           output[1] == shape.rows.output && output[2] == shape.columns.output &&
           output[3] == image[3];
  }
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    work(level, threads, shape, first, second, result, std::move(finish));
  });
}

ffi::Future run_depthwise(ffi::ThreadPool pool, Array image, Array kernel,
                          ffi::Result<Array> output, Sizes strides, Sizes dilation,
                          Sizes padding) {
  return run(convolve_depthwise, pool, image.dimensions(), kernel.dimensions(),
             output->dimensions(), strides, dilation, padding, image.typed_data(),
             kernel.typed_data(), output->typed_data());
}

ffi::Future run_depthwise_image_gradient(ffi::ThreadPool pool, Array gradient, Array kernel,
                                         ffi::Result<Array> image, Sizes strides, Sizes dilation,
                                         Sizes padding) {
  return run(depthwise_image_gradient, pool, image->dimensions(), kernel.dimensions(),
             gradient.dimensions(), strides, dilation, padding, gradient.typed_data(),
             kernel.typed_data(), image->typed_data());
}

ffi::Future run_depthwise_kernel_gradient(ffi::ThreadPool pool, Array image, Array gradient,
                                          ffi::Result<Array> kernel, Sizes strides, Sizes dilation,
                                          Sizes padding) {
  return run(depthwise_kernel_gradient, pool, image.dimensions(), kernel->dimensions(),
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

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise, clearcnn::run_depthwise, clearcnn::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise_image_gradient,
                              clearcnn::run_depthwise_image_gradient, clearcnn::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise_kernel_gradient,
                              clearcnn::run_depthwise_kernel_gradient, clearcnn::bind());

#pragma GCC visibility pop
