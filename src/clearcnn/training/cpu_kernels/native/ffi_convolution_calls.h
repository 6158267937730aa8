// What XLA's calls of every kind of convolution share: their arguments, and in which order the
// sizes of image, kernel and output are among them.
#pragma once

#include "ffi_call.h"

namespace clearcnn {

struct ConvolutionSizes {
  Sizes image, kernel, output, strides, dilation, padding;  // Padding: above, below, left, right.

  AxisShape rows(Index height) const {
    return make_axis(image[1], height, strides[0], dilation[0], padding[0], padding[1]);
  }
  AxisShape columns() const {
    return make_axis(image[2], kernel[1], strides[1], dilation[1], padding[2], padding[3]);
  }
};

// Handlers for operations on a Shape. Read(sizes, shape) fills the shape of images and kernels of
// four axes, and returns whether the sizes belong together.
template <typename Shape, bool (*Read)(const ConvolutionSizes&, Shape&)>
struct ConvolutionCalls {
  using Work = void (*)(const Level&, Threads&, const Shape&, const float*, const float*, float*,
                        Task);

  template <Work work>
  static ffi::Future forward(ffi::ThreadPool pool, Array image, Array kernel,
                             ffi::Result<Array> output, Sizes strides, Sizes dilation,
                             Sizes padding) {
    return run(work, pool,
               {image.dimensions(), kernel.dimensions(), output->dimensions(), strides, dilation,
                padding},
               image.typed_data(), kernel.typed_data(), output->typed_data());
  }

  template <Work work>
  static ffi::Future image_gradient(ffi::ThreadPool pool, Array gradient, Array kernel,
                                    ffi::Result<Array> image, Sizes strides, Sizes dilation,
                                    Sizes padding) {
    return run(work, pool,
               {image->dimensions(), kernel.dimensions(), gradient.dimensions(), strides, dilation,
                padding},
               gradient.typed_data(), kernel.typed_data(), image->typed_data());
  }

  template <Work work>
  static ffi::Future kernel_gradient(ffi::ThreadPool pool, Array image, Array gradient,
                                     ffi::Result<Array> kernel, Sizes strides, Sizes dilation,
                                     Sizes padding) {
    return run(work, pool,
               {image.dimensions(), kernel->dimensions(), gradient.dimensions(), strides, dilation,
                padding},
               image.typed_data(), gradient.typed_data(), kernel->typed_data());
  }

  static auto bind() {
    return ffi::Ffi::Bind()
        .Ctx<ffi::ThreadPool>()
        .Arg<Array>()
        .Arg<Array>()
        .Ret<Array>()
        .Attr<Sizes>("strides")
        .Attr<Sizes>("dilation")
        .Attr<Sizes>("padding");
  }

 private:
  static ffi::Future run(Work work, ffi::ThreadPool pool, const ConvolutionSizes& sizes,
                         const float* first, const float* second, float* result) {
    Shape shape = {};
    const bool fits = sizes.image.size() == 4 && sizes.kernel.size() == 4 &&
                      sizes.strides.size() == 2 && sizes.dilation.size() == 2 &&
                      sizes.padding.size() == 4 && Read(sizes, shape);
    return start(pool, fits, [&](const Level& level, Threads& threads, Task finish) {
      work(level, threads, shape, first, second, result, std::move(finish));
    });
  }
};

}  // namespace clearcnn
