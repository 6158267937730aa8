#include "convolution.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "products.h"

namespace clearcnn {
namespace {

// Below this, one thread is done before another has woken up.
constexpr double kWorkOfPart = 1 << 20;
// More parts than threads, so that none waits long for the slowest.
constexpr double kMostParts = 64;
constexpr Index kPartsOfThread = 4;
// Numbers that a part of the images reads and writes: 1 MiB, which second-level caches hold. With
// fewer, a large kernel is read for a handful of pixels: 4×4 images of 128 channels were 2.5 times
// as slow, 8×8 of 64 a fifth.
constexpr Index kNumbersOfPart = 1 << 18;

void multiply_all(const Level& level, Threads& threads, const Convolution& shape, bool transposed,
                  const float* input, const float* kernel, float* output, Task finish) {
  const auto products = std::make_shared<const Products>(level, shape, kernel, transposed);
  const int chunks = choose_chunks(shape, threads.count());
  const Index images = shape.images;
  for_each_part(
      threads, chunks,
      [=](int chunk) {
        const Index begin = images * chunk / chunks, end = images * (chunk + 1) / chunks;
        products->multiply(end - begin, input + begin * products->input_size(),
                           output + begin * products->output_size());
      },
      std::move(finish));
}

}  // namespace

double Convolution::work() const {
  return static_cast<double>(images * rows.output * columns.output) * kernel_size();
}

int choose_parts(double work, Index most) {
  const double parts = std::min({work / kWorkOfPart, static_cast<double>(most), kMostParts});
  return std::max(1, static_cast<int>(parts));
}

int choose_chunks(const Convolution& shape, int threads) {
  const Index numbers = shape.images * (shape.image_size() + shape.output_size());
  const Index wanted = std::max<Index>(numbers / kNumbersOfPart, kPartsOfThread * threads);
  return choose_parts(shape.work(), std::min(wanted, shape.images));
}

void convolve(const Level& level, Threads& threads, const Convolution& shape, const float* image,
              const float* kernel, float* output, Task finish) {
  multiply_all(level, threads, shape, false, image, kernel, output, std::move(finish));
}

void image_gradient(const Level& level, Threads& threads, const Convolution& shape,
                    const float* gradient, const float* kernel, float* image, Task finish) {
  multiply_all(level, threads, shape, true, gradient, kernel, image, std::move(finish));
}

}  // namespace clearcnn
