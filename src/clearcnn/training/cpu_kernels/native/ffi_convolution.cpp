// What XLA calls for convolutions: checks shapes, and begins the work.
#include <algorithm>

#include "convolution.h"
#include "ffi_convolution_calls.h"

namespace clearcnn {
namespace {

bool read(const ConvolutionSizes& sizes, Convolution& shape) {
  const auto& [image, kernel, output, strides, dilation, padding] = sizes;
  if (output.size() != 2) return false;
  // The kernels of the groups lie below each other.
  const Index groups = kernel[2] > 0 ? std::max<Index>(1, image[3] / kernel[2]) : 1;
  const Index height = kernel[0] / groups;
  shape = {image[0], image[3], kernel[3] * groups, sizes.rows(height), sizes.columns(), groups};
  return kernel[2] * groups == image[3] && height * groups == kernel[0] &&
         output[1] == shape.filters &&
         output[0] == image[0] * shape.rows.output * shape.columns.output;
}

using Calls = ConvolutionCalls<Convolution, read>;

constexpr auto run_convolve = Calls::forward<convolve>;
constexpr auto run_image_gradient = Calls::image_gradient<image_gradient>;
constexpr auto run_kernel_gradient = Calls::kernel_gradient<kernel_gradient>;

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_convolve, clearcnn::run_convolve, clearcnn::Calls::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_image_gradient, clearcnn::run_image_gradient,
                              clearcnn::Calls::bind());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_kernel_gradient, clearcnn::run_kernel_gradient,
                              clearcnn::Calls::bind());

// The name of the level of instructions that this processor gets, or null.
extern "C" const char* clearcnn_level() {
  const clearcnn::Level* level = clearcnn::best_level();
  return level == nullptr ? nullptr : level->name;
}

// The hash of the sources: whether the library belongs to the Python beside it.
extern "C" const char* clearcnn_stamp() { return CLEARCNN_STAMP; }

#pragma GCC visibility pop
