// What XLA calls for depthwise convolutions: checks shapes, and begins the work.
#include "depthwise.h"
#include "ffi_convolution_calls.h"

namespace clearcnn {
namespace {

bool read(const ConvolutionSizes& sizes, Depthwise& shape) {
  const auto& [image, kernel, output, strides, dilation, padding] = sizes;
  if (output.size() != 4) return false;
  shape = {image[0], image[3], sizes.rows(kernel[0]), sizes.columns()};
  return kernel[2] == 1 && kernel[3] == image[3] && output[0] == image[0] &&
         output[1] == shape.rows.output && output[2] == shape.columns.output &&
         output[3] == image[3];
}

using Calls = ConvolutionCalls<Depthwise, read>;

constexpr auto run_depthwise = Calls::forward<convolve_depthwise>;
constexpr auto run_image_gradient = Calls::image_gradient<depthwise_image_gradient>;
constexpr auto run_kernel_gradient = Calls::kernel_gradient<depthwise_kernel_gradient>;

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise, clearcnn::run_depthwise,
                              clearcnn::Calls::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise_image_gradient, clearcnn::run_image_gradient,
                              clearcnn::Calls::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_depthwise_kernel_gradient, clearcnn::run_kernel_gradient,
                              clearcnn::Calls::bind());

#pragma GCC visibility pop
