// What XLA calls for augmentation.
#include "ffi_call.h"
#include "warp.h"

namespace clearcnn {
namespace {

bool are_rows(Sizes sizes, Index rows, Index columns) {
  return sizes.size() == 2 && sizes[0] == rows && sizes[1] == columns;
}

ffi::Future run_warp(ffi::ThreadPool pool, ffi::AnyBuffer image, Array matrices, Array fill,
                     Array lights, ffi::Result<Array> output, bool fills) {
  const Sizes sizes = image.dimensions(), results = output->dimensions();
  Warp job = {};
  const bool fits = sizes.size() == 4 && sizes.size() == results.size() &&
                    std::equal(sizes.begin(), sizes.end(), results.begin()) && sizes[1] > 0 &&
                    sizes[2] > 0 && fill.element_count() == 1 &&
                    are_rows(matrices.dimensions(), sizes[0], 6) &&
                    (are_rows(lights.dimensions(), sizes[0], 2) ||
                     are_rows(lights.dimensions(), 0, 2)) &&
                    (image.element_type() == ffi::F32 || image.element_type() == ffi::U8);
  return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
    job = {sizes[0],
           {sizes[1], sizes[2], sizes[3], fills, *fill.typed_data()},
           matrices.typed_data(),
           lights.dimensions()[0] ? lights.typed_data() : nullptr};
    if (image.element_type() == ffi::F32) {
      warp(level, threads, job, image.typed_data<float>(), output->typed_data(),
           std::move(finish));
    } else {
      warp(level, threads, job, image.typed_data<uint8_t>(), output->typed_data(),
           std::move(finish));
    }
  });
}

}  // namespace
}  // namespace clearcnn

#pragma GCC visibility push(default)

XLA_FFI_DEFINE_HANDLER_SYMBOL(clearcnn_warp, clearcnn::run_warp,
                              xla::ffi::Ffi::Bind()
                                  .Ctx<xla::ffi::ThreadPool>()
                                  .Arg<xla::ffi::AnyBuffer>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Arg<clearcnn::Array>()
                                  .Ret<clearcnn::Array>()
                                  .Attr<bool>("fills"));

#pragma GCC visibility pop
