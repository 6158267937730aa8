// What XLA calls to normalize images with statistics that are known, and for the gradient.
#include "ffi_call.h"
#include "normalize.h"

namespace clearcnn {
namespace {

bool has_sizes(Sizes sizes, Index images, Index rows, Index columns, Index channels) {
  return sizes.size() == 4 && sizes[0] == images && sizes[1] == rows && sizes[2] == columns &&
         sizes[3] == channels;
}

// Reads the windows; false if they and the pooled images do not belong to these images.
bool read_windows(Sizes image, Sizes pooled, Sizes window, Windows& windows) {
  if (image.size() != 4 || window.size() != 2 || window[0] < 1 || window[1] < 1 || image[3] < 1) {
    return false;
  }
  windows = {image[1], image[2], window[0], window[1]};
  return has_sizes(pooled, image[0], image[1] / window[0], image[2] / window[1], image[3]);
}

bool are_channels(Sizes sizes, Index channels) { return sizes.size() == 1 && sizes[0] == channels; }

ffi::Future run_normalize(ffi::ThreadPool pool, Array image, Array scale, Array shift,
                          ffi::Result<Array> output, ffi::Result<Array> taken, Sizes window,
                          int32_t activation) {
  const Sizes sizes = image.dimensions();
  Windows windows = {};
  bool fits = read_windows(sizes, output->dimensions(), window, windows) &&
              are_channels(scale.dimensions(), sizes[3]) &&
              are_channels(shift.dimensions(), sizes[3]);
  const bool is_pooled = fits && window[0] * window[1] > 1;
  if (is_pooled) fits = taken->element_count() == output->element_count();
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    normalize_images(level, threads, sizes[0],
                     {sizes[3], scale.typed_data(), shift.typed_data(),
                      static_cast<Activation>(activation)},
                     windows, image.typed_data(), output->typed_data(),
                     is_pooled ? taken->typed_data() : nullptr, std::move(finish));
  });
}

ffi::Future run_normalize_gradient(ffi::ThreadPool pool, Array image, Array taken, Array gradient,
                                   Count count, Array scale, Array shift, Array slope,
                                   Array constant, ffi::Result<Array> result, Sizes window,
                                   int32_t activation) {
  const Sizes sizes = image.dimensions();
  Windows windows = {};
  const Index counted = sizes.size() == 4 ? read_count(count, sizes[0]) : 0;
  bool fits = counted > 0 && read_windows(sizes, taken.dimensions(), window, windows) &&
              read_windows(sizes, gradient.dimensions(), window, windows) &&
              has_sizes(result->dimensions(), sizes[0], sizes[1], sizes[2], sizes[3]);
  for (const Array& array : {scale, shift, slope, constant}) {
    fits = fits && are_channels(array.dimensions(), sizes[3]);
  }
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    normalize_images_gradient(level, threads, sizes[0], counted,
                              {sizes[3], scale.typed_data(), shift.typed_data(),
                               static_cast<Activation>(activation)},
                              windows, slope.typed_data(), constant.typed_data(),
                              image.typed_data(), taken.typed_data(), gradient.typed_data(),
                              result->typed_data(), std::move(finish));
  });
}

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_normalize, clearcnn::run_normalize,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Attr<clearcnn::Sizes>("window")
                                  .Attr<int32_t>("activation"));
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_normalize_gradient, clearcnn::run_normalize_gradient,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Count>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Attr<clearcnn::Sizes>("window")
                                  .Attr<int32_t>("activation"));

#pragma GCC visibility pop
