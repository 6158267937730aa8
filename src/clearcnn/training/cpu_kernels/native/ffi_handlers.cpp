// What XLA calls: checks shapes, and takes XLA's own threads.
#include <exception>
#include <string>

#include "convolution.h"
#include "levels.h"
#include "xla/ffi/api/ffi.h"

namespace clearcnn {
namespace {

namespace ffi = xla::ffi;

using Array = ffi::Buffer<ffi::F32>;
using Sizes = ffi::Span<const int64_t>;

class PoolThreads : public Threads {
 public:
  explicit PoolThreads(ffi::ThreadPool pool) : pool_(pool) {}
  int count() override { return static_cast<int>(pool_.num_threads()); }
  void schedule(std::function<void()> task) override { pool_.Schedule(std::move(task)); }

 private:
  ffi::ThreadPool pool_;
};

const Level* best_level() {
  static const std::vector<const Level*> levels = available_levels();
  return levels.empty() ? nullptr : levels.front();
}

// Counts the pixels of the output along an axis, as XLA does; none if the sizes make no sense.
AxisShape make_axis(Index image, Index kernel, Index stride, Index dilation, Index before,
                    Index after) {
  AxisShape axis = {image, 0, kernel, stride, dilation, before};
  if (stride < 1 || dilation < 1 || kernel < 1) return axis;
  const Index room = image + before + after - (kernel - 1) * dilation - 1;
  if (room >= 0) axis.output = room / stride + 1;
  return axis;
}

using Work = void (*)(const Level&, Threads&, const Convolution&, const float*, const float*,
                      float*, Task);

ffi::Error begin(Work work, ffi::Promise promise, ffi::ThreadPool pool, Sizes image, Sizes kernel,
                 Sizes output, Sizes strides, Sizes dilation, Sizes padding, const float* first,
                 const float* second, float* result) {
  if (image.size() != 4 || kernel.size() != 4 || output.size() != 2 || strides.size() != 2 ||
      dilation.size() != 2 || padding.size() != 4) {
    return ffi::Error::InvalidArgument("expected arrays of 4 or 2 axes, and 2 or 4 sizes");
  }
  const Convolution shape = {
      image[0], image[3], kernel[3],
      make_axis(image[1], kernel[0], strides[0], dilation[0], padding[0], padding[1]),
      make_axis(image[2], kernel[1], strides[1], dilation[1], padding[2], padding[3])};
  if (kernel[2] != image[3] || output[1] != kernel[3] ||
      output[0] != image[0] * shape.rows.output * shape.columns.output) {
    return ffi::Error::InvalidArgument("image, kernel and output do not belong together");
  }
  const Level* level = best_level();
  if (level == nullptr) return ffi::Error::Internal("there is no kernel for this processor");
  PoolThreads threads(pool);
  try {
    work(*level, threads, shape, first, second, result,
         [promise]() mutable { promise.SetAvailable(); });
  } catch (const std::exception& error) {  // Of memory; then no part has begun.
    return ffi::Error::Internal(std::string("a kernel failed: ") + error.what());
  }
  return ffi::Error::Success();
}

// XLA goes on when the future is there, on the thread that was last: none of its threads waits.
template <typename... Arguments>
ffi::Future run(Work work, Arguments... arguments) {
  ffi::Promise promise;
  ffi::Future future(promise);
  ffi::Error error = begin(work, promise, arguments...);
  if (error.failure()) promise.SetError(error);
  return future;
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

// The level of instructions that this processor gets, or null.
extern "C" const char* clearcnn_level() {
  const clearcnn::Level* level = clearcnn::best_level();
  return level == nullptr ? nullptr : level->name;
}

#pragma GCC visibility pop
