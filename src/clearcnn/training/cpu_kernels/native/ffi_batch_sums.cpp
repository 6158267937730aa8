// What XLA calls for batch normalization.
#include "batch_sums.h"
#include "ffi_call.h"

namespace clearcnn {
namespace {

bool are_channels(Sizes sizes, Sizes rows) { return sizes.size() == 1 && sizes[0] == rows[1]; }

// `count` is how many rows to read.
ffi::Future run_moments(ffi::ThreadPool pool, Array image, Count count, ffi::Result<Array> mean,
                        ffi::Result<Array> variance) {
  const Sizes rows = image.dimensions();
  const Index counted = rows.size() == 2 ? read_count(count, rows[0]) : 0;
  const bool fits = counted > 0 && rows[1] > 0 && are_channels(mean->dimensions(), rows) &&
                    are_channels(variance->dimensions(), rows);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    moments(level, threads, counted, rows[1], image.typed_data(), mean->typed_data(),
            variance->typed_data(), std::move(finish));
  });
}

ffi::Future run_gradient_sums(ffi::ThreadPool pool, Array image, Array gradient, Count count,
                              Array scale, Array shift, ffi::Result<Array> sum,
                              ffi::Result<Array> products, int32_t activation) {
  const Sizes rows = image.dimensions(), slopes = gradient.dimensions();
  const Index counted = rows.size() == 2 ? read_count(count, rows[0]) : 0;
  const bool fits = counted > 0 && rows[1] > 0 && slopes.size() == 2 &&
                    slopes[0] == rows[0] && slopes[1] == rows[1] &&
                    are_channels(scale.dimensions(), rows) &&
                    are_channels(shift.dimensions(), rows) &&
                    are_channels(sum->dimensions(), rows) &&
                    are_channels(products->dimensions(), rows);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    gradient_sums(level, threads, {rows[1], scale.typed_data(), shift.typed_data(),
                   static_cast<Activation>(activation)},
                  counted, image.typed_data(), gradient.typed_data(), sum->typed_data(),
                  products->typed_data(), std::move(finish));
  });
}

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_moments, clearcnn::run_moments,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Count>()
                                  .Ret<clearcnn::Array>()
                                  .Ret<clearcnn::Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_gradient_sums, clearcnn::run_gradient_sums,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Count>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Attr<int32_t>("activation"));

#pragma GCC visibility pop
