// What XLA calls for convolutions that are pooled at once.
#include "ffi_call.h"
#include "pooled_convolution.h"

namespace clearcnn {
namespace {

using Places = ffi::Buffer<ffi::S8>;

// The attributes of a call. Padding: above, below, left, right.
struct Settings {
  Sizes strides, dilation, padding, window, pool_strides, pool_padding;
  bool relu;
};

// Reads the sizes; false if they do not belong together.
bool read(Sizes image, Sizes kernel, Sizes pooled, Sizes places, const Settings& s,
          PooledConvolution& shape) {
  if (image.size() != 4 || kernel.size() != 4 || pooled.size() != 4 ||
      !std::equal(pooled.begin(), pooled.end(), places.begin(), places.end()) ||
      s.strides.size() != 2 || s.dilation.size() != 2 || s.padding.size() != 4 ||
      s.window.size() != 2 || s.pool_strides.size() != 2 || s.pool_padding.size() != 4) {
    return false;
  }
  const AxisShape rows = make_axis(image[1], kernel[0], s.strides[0], s.dilation[0], s.padding[0],
                                   s.padding[1]);
  const AxisShape columns = make_axis(image[2], kernel[1], s.strides[1], s.dilation[1],
                                      s.padding[2], s.padding[3]);
  shape = {{image[0], image[3], kernel[3], rows, columns},
           {kernel[3],
            make_axis(rows.output, s.window[0], s.pool_strides[0], 1, s.pool_padding[0],
                      s.pool_padding[1]),
            make_axis(columns.output, s.window[1], s.pool_strides[1], 1, s.pool_padding[2],
                      s.pool_padding[3])},
           s.relu};
  return kernel[2] == image[3] && pooled[0] == image[0] &&
         pooled[1] == shape.pool.rows.output && pooled[2] == shape.pool.columns.output &&
         pooled[3] == kernel[3] && s.window[0] * s.window[1] < 128;
}

ffi::Future run_forward(ffi::ThreadPool pool, Array image, Array kernel, Array bias,
                        ffi::Result<Array> pooled, ffi::Result<Places> places, Sizes strides,
                        Sizes dilation, Sizes padding, Sizes window, Sizes pool_strides,
                        Sizes pool_padding, bool relu) {
  PooledConvolution shape = {};
  const bool fits = read(image.dimensions(), kernel.dimensions(), pooled->dimensions(),
                         places->dimensions(),
                         {strides, dilation, padding, window, pool_strides, pool_padding, relu},
                         shape) &&
                    Index(bias.element_count()) == shape.pool.channels;
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    convolve_pooled(level, threads, shape, image.typed_data(), kernel.typed_data(),
                    bias.typed_data(), pooled->typed_data(), places->typed_data(),
                    std::move(finish));
  });
}

ffi::Future run_image_gradient(ffi::ThreadPool pool, Array gradient, Places places, Array kernel,
                               ffi::Result<Array> image, Sizes strides, Sizes dilation,
                               Sizes padding, Sizes window, Sizes pool_strides, Sizes pool_padding,
                               bool relu) {
  PooledConvolution shape = {};
  const bool fits = read(image->dimensions(), kernel.dimensions(), gradient.dimensions(),
                         places.dimensions(),
                         {strides, dilation, padding, window, pool_strides, pool_padding, relu},
                         shape);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    pooled_image_gradient(level, threads, shape, gradient.typed_data(), places.typed_data(),
                          kernel.typed_data(), image->typed_data(), std::move(finish));
  });
}

ffi::Future run_kernel_gradient(ffi::ThreadPool pool, Array image, Array gradient, Places places,
                                ffi::Result<Array> kernel, ffi::Result<Array> bias, Sizes strides,
                                Sizes dilation, Sizes padding, Sizes window, Sizes pool_strides,
                                Sizes pool_padding, bool relu) {
  PooledConvolution shape = {};
  const bool fits = read(image.dimensions(), kernel->dimensions(), gradient.dimensions(),
                         places.dimensions(),
                         {strides, dilation, padding, window, pool_strides, pool_padding, relu},
                         shape) &&
                    Index(bias->element_count()) == shape.pool.channels;
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    pooled_kernel_gradient(level, threads, shape, image.typed_data(), gradient.typed_data(),
                           places.typed_data(), kernel->typed_data(), bias->typed_data(),
                           std::move(finish));
  });
}

template <typename Binding>
auto with_settings(Binding binding) {
  return std::move(binding)
      .template Attr<Sizes>("strides")
      .template Attr<Sizes>("dilation")
      .template Attr<Sizes>("padding")
      .template Attr<Sizes>("window")
      .template Attr<Sizes>("pool_strides")
      .template Attr<Sizes>("pool_padding")
      .template Attr<bool>("relu");
}

auto bind() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>(); }

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_convolve_pooled, clearcnn::run_forward,
                              clearcnn::with_settings(clearcnn::bind()
                                                          .Arg<clearcnn::Array>()
                                                          .Arg<clearcnn::Array>()
                                                          .Arg<clearcnn::Array>()
                                                          .Ret<clearcnn::Array>()
                                                          .Ret<clearcnn::Places>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_pooled_image_gradient, clearcnn::run_image_gradient,
                              clearcnn::with_settings(clearcnn::bind()
                                                          .Arg<clearcnn::Array>()
                                                          .Arg<clearcnn::Places>()
                                                          .Arg<clearcnn::Array>()
                                                          .Ret<clearcnn::Array>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_pooled_kernel_gradient, clearcnn::run_kernel_gradient,
                              clearcnn::with_settings(clearcnn::bind()
                                                          .Arg<clearcnn::Array>()
                                                          .Arg<clearcnn::Array>()
                                                          .Arg<clearcnn::Places>()
                                                          .Ret<clearcnn::Array>()
                                                          .Ret<clearcnn::Array>()));

#pragma GCC visibility pop
