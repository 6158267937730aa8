#include "pooled_convolution.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "products.h"
#include "scratch.h"

namespace clearcnn {
namespace {

// Numbers that a few images read and write: 512 KiB. A half, a quarter and twice as many were slower,
// by 2 to 8 %.
constexpr Index kNumbersOfBand = 1 << 17;

Index images_of_band(const Convolution& shape) {
  const Index numbers = std::max<Index>(1, shape.image_size() + shape.output_size());
  return std::clamp<Index>(kNumbersOfBand / numbers, 1, std::max<Index>(1, shape.images));
}

// What the threads need besides the arrays.
struct Bands {
  Products products;
  Index images, band;
  int chunks;
  Scratch scratch;

  Bands(const Level& level, Threads& threads, const Convolution& shape, const float* kernel,
        bool transposed)
      : products(level, shape, kernel, transposed),
        images(shape.images),
        band(images_of_band(shape)),
        chunks(choose_chunks(shape, threads.count())),
        scratch(threads, chunks, band * shape.output_size()) {}

  // Calls work(begin, end, outputs) for a few images of a chunk after another.
  template <typename Work>
  void walk(int chunk, Work work) {
    Scratch::Loan loan(scratch);
    const Index end = images * (chunk + 1) / chunks;
    for (Index begin = images * chunk / chunks; begin < end; begin += band) {
      work(begin, std::min(begin + band, end), loan.data());
    }
  }
};

// Spreads the gradients of images [begin, end) over what the convolution gave.
void spread(const Level& level, const PooledConvolution& shape, Index begin, Index end,
            const float* gradient, const signed char* places, float* outputs, float* bias) {
  for (Index n = begin; n < end; n++, outputs += shape.convolution.output_size()) {
    const Index at = n * shape.pooled_size();
    level.pool_max_gradient(shape.pool, gradient + at, places + at, outputs, bias);
  }
}

}  // namespace

void convolve_pooled(const Level& level, Threads& threads, const PooledConvolution& shape,
                     const float* image, const float* kernel, const float* bias, float* pooled,
                     signed char* places, Task finish) {
  const auto bands = std::make_shared<Bands>(level, threads, shape.convolution, kernel, false);
  for_each_part(
      threads, bands->chunks,
      [=, &level](int chunk) {
        bands->walk(chunk, [&](Index begin, Index end, float* outputs) {
          bands->products.multiply(end - begin, image + begin * shape.convolution.image_size(),
                                   outputs);
          for (Index n = begin; n < end; n++, outputs += shape.convolution.output_size()) {
            const Index at = n * shape.pooled_size();
            level.pool_max(shape.pool, outputs, bias, shape.relu, pooled + at, places + at);
          }
        });
      },
      std::move(finish));
}

void pooled_image_gradient(const Level& level, Threads& threads, const PooledConvolution& shape,
                           const float* gradient, const signed char* places, const float* kernel,
                           float* image, Task finish) {
  const auto bands = std::make_shared<Bands>(level, threads, shape.convolution, kernel, true);
  for_each_part(
      threads, bands->chunks,
      [=, &level](int chunk) {
        bands->walk(chunk, [&](Index begin, Index end, float* outputs) {
          spread(level, shape, begin, end, gradient, places, outputs, nullptr);
          bands->products.multiply(end - begin, outputs,
                                   image + begin * shape.convolution.image_size());
        });
      },
      std::move(finish));
}

void pooled_kernel_gradient(const Level& level, Threads& threads, const PooledConvolution& shape,
                            const float* image, const float* gradient, const signed char* places,
                            float* kernel, float* bias, Task finish) {
  const auto make = [=, &level](Index begin, Index end, float* scratch, float* sums) {
    spread(level, shape, begin, end, gradient, places, scratch, sums);
    return scratch;
  };
  kernel_gradient(level, threads, shape.convolution, image, make,
                  shape.convolution.output_size(), kernel, bias, std::move(finish));
}

}  // namespace clearcnn
