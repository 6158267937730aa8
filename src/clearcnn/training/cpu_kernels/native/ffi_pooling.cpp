// What XLA calls for pooling.
#include "ffi_call.h"
#include "pooling.h"

namespace clearcnn {
namespace {

using Places = ffi::Buffer<ffi::S8>;

bool same(Sizes one, Sizes other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

// A shape whose output has the pixels of `output`; false if the sizes make no sense.
bool read_shape(Sizes image, Sizes output, Sizes window, Sizes strides, Sizes padding,
                PoolShape& shape) {
  if (image.size() != 4 || output.size() != 4 || window.size() != 2 || strides.size() != 2 ||
      padding.size() != 4 || image[0] != output[0] || image[3] != output[3]) {
    return false;
  }
  shape = {image[3],
           make_axis(image[1], window[0], strides[0], 1, padding[0], padding[1]),
           make_axis(image[2], window[1], strides[1], 1, padding[2], padding[3])};
  return shape.rows.output == output[1] && shape.columns.output == output[2] &&
         window[0] * window[1] < 128;
}

ffi::Future run_max_pool(ffi::ThreadPool pool, Array image, ffi::Result<Array> output,
                         ffi::Result<Places> places, Sizes window, Sizes strides, Sizes padding) {
  PoolShape shape = {};
  const bool fits = same(output->dimensions(), places->dimensions()) &&
                    read_shape(image.dimensions(), output->dimensions(), window, strides, padding,
                               shape);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    max_pool(level, threads, image.dimensions()[0], shape, image.typed_data(),
             output->typed_data(), places->typed_data(), std::move(finish));
  });
}

ffi::Future run_max_pool_gradient(ffi::ThreadPool pool, Array gradient, Places places,
                                  ffi::Result<Array> image, Sizes window, Sizes strides,
                                  Sizes padding) {
  PoolShape shape = {};
  const bool fits = same(gradient.dimensions(), places.dimensions()) &&
                    read_shape(image->dimensions(), gradient.dimensions(), window, strides,
                               padding, shape);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    max_pool_gradient(level, threads, image->dimensions()[0], shape, gradient.typed_data(),
                      places.typed_data(), image->typed_data(), std::move(finish));
  });
}

ffi::Future run_sum_pool(ffi::ThreadPool pool, Array image, ffi::Result<Array> output,
                         Sizes window, Sizes strides, Sizes padding) {
  PoolShape shape = {};
  const bool fits =
      read_shape(image.dimensions(), output->dimensions(), window, strides, padding, shape);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    sum_pool(level, threads, image.dimensions()[0], shape, image.typed_data(),
             output->typed_data(), std::move(finish));
  });
}

ffi::Future run_sum_pool_gradient(ffi::ThreadPool pool, Array gradient, ffi::Result<Array> image,
                                  Sizes window, Sizes strides, Sizes padding) {
  PoolShape shape = {};
  const bool fits =
      read_shape(image->dimensions(), gradient.dimensions(), window, strides, padding, shape);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    sum_pool_gradient(level, threads, image->dimensions()[0], shape, gradient.typed_data(),
                      image->typed_data(), std::move(finish));
  });
}

template <typename Binding>
auto with_window(Binding binding) {
  return std::move(binding)
      .template Attr<Sizes>("window")
      .template Attr<Sizes>("strides")
      .template Attr<Sizes>("padding");  // Above, below, left, right.
}

auto bind() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>(); }

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    clearcnn_max_pool, clearcnn::run_max_pool,
    clearcnn::with_window(
        clearcnn::bind().Arg<clearcnn::Array>().Ret<clearcnn::Array>().Ret<clearcnn::Places>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    clearcnn_max_pool_gradient, clearcnn::run_max_pool_gradient,
    clearcnn::with_window(
        clearcnn::bind().Arg<clearcnn::Array>().Arg<clearcnn::Places>().Ret<clearcnn::Array>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    clearcnn_sum_pool, clearcnn::run_sum_pool,
    clearcnn::with_window(clearcnn::bind().Arg<clearcnn::Array>().Ret<clearcnn::Array>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    clearcnn_sum_pool_gradient, clearcnn::run_sum_pool_gradient,
    clearcnn::with_window(clearcnn::bind().Arg<clearcnn::Array>().Ret<clearcnn::Array>()));

#pragma GCC visibility pop
