// What XLA calls for batch normalization where only the first samples of a batch count.
#include "batch_sums.h"
#include "ffi_call.h"

namespace clearcnn {
namespace {

// `count` is the number of rows to read; as an array, it is no constant of the program.
ffi::Future run_first_moments(ffi::ThreadPool pool, Array image, ffi::Buffer<ffi::S32> count,
                              ffi::Result<Array> sum, ffi::Result<Array> variance) {
  const Sizes rows = image.dimensions();
  const auto are_channels = [&](Sizes sizes) { return sizes.size() == 1 && sizes[0] == rows[1]; };
  const bool fits = rows.size() == 2 && rows[1] > 0 && are_channels(sum->dimensions()) &&
                    are_channels(variance->dimensions()) && count.element_count() == 1 &&
                    *count.typed_data() > 0 && *count.typed_data() <= rows[0];
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    moments(level, threads, *count.typed_data(), rows[1], image.typed_data(), sum->typed_data(),
            variance->typed_data(), std::move(finish));
  });
}

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_first_moments, clearcnn::run_first_moments,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<xla::ffi::Buffer<xla::ffi::S32>>()
                                  .Ret<clearcnn::Array>()
                                  .Ret<clearcnn::Array>());

#pragma GCC visibility pop
