// Draws convolutions, and holds the kernels of every level to sums written down plainly, in double.
//
// Run under sanitizers: every array has just the size that it needs, so that a number beside it is
// noticed, and the parts are worked on by threads of its own.
//
//     exercise SEED ROUNDS
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "convolution.h"
#include "levels.h"

namespace {

using namespace clearcnn;

class OwnThreads : public Threads {
 public:
  explicit OwnThreads(int count) : count_(count) {}
  void join() {
    for (std::thread& thread : begun_) thread.join();
  }
  int count() override { return count_; }
  void schedule(std::function<void()> task) override { begun_.emplace_back(std::move(task)); }

 private:
  int count_;
  std::vector<std::thread> begun_;
};

// A pool whose threads are never free.
class BusyThreads : public Threads {
 public:
  int count() override { return 8; }
  void schedule(std::function<void()> task) override { waiting_.push_back(std::move(task)); }
  void run() {
    for (auto& task : waiting_) task();
  }

 private:
  std::vector<std::function<void()>> waiting_;
};

using Numbers = std::unique_ptr<float[]>;

struct Drawn {
  Convolution shape;
  Numbers image, kernel, gradient;
  Index image_size, gradient_size;
};

std::mt19937_64 random_bits;

Index draw(Index low, Index high) {
  return std::uniform_int_distribution<Index>(low, high)(random_bits);
}

Numbers draw_numbers(Index size) {
  Numbers numbers(new float[size]);
  std::normal_distribution<float> normal;
  for (Index i = 0; i < size; i++) numbers[i] = normal(random_bits);
  return numbers;
}

AxisShape draw_axis() {
  AxisShape axis;
  do {
    axis = {draw(1, 12), 0, draw(1, 6), draw(1, 3), draw(1, 3), draw(-2, 6)};
    const Index padded = axis.image + axis.padding + draw(-2, 6);
    const Index room = padded - (axis.kernel - 1) * axis.dilation - 1;
    axis.output = room < 0 ? 0 : room / axis.stride + 1;
  } while (axis.output == 0);
  return axis;
}

Index draw_width() {
  static const Index special[] = {8, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 80, 129};
  return draw(0, 2) ? draw(1, 20) : special[draw(0, std::size(special) - 1)];
}

Drawn draw_convolution() {
  Drawn drawn;
  drawn.shape = {draw(0, 3) ? draw(1, 5) : draw(6, 40), draw_width(), draw_width(), draw_axis(),
                 draw_axis()};
  Convolution& shape = drawn.shape;
  while (shape.images > 1 && shape.work() > 2e7) shape.images /= 2;
  drawn.image_size = shape.images * shape.image_size();
  drawn.gradient_size = shape.images * shape.output_size();
  drawn.image = draw_numbers(drawn.image_size);
  drawn.kernel = draw_numbers(shape.kernel_size());
  drawn.gradient = draw_numbers(drawn.gradient_size);
  return drawn;
}

// Calls visit(image index, kernel index, output index) for the first number of each product.
template <typename Visit>
void visit_products(const Convolution& shape, Visit visit) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  for (Index n = 0; n < shape.images; n++)
    for (Index oy = 0; oy < rows.output; oy++)
      for (Index ox = 0; ox < columns.output; ox++)
        for (Index ky = 0; ky < rows.kernel; ky++)
          for (Index kx = 0; kx < columns.kernel; kx++) {
            const Index y = oy * rows.stride - rows.padding + ky * rows.dilation;
            const Index x = ox * columns.stride - columns.padding + kx * columns.dilation;
            if (y < 0 || y >= rows.image || x < 0 || x >= columns.image) continue;
            visit(((n * rows.image + y) * columns.image + x) * shape.channels,
                  (ky * columns.kernel + kx) * shape.channels * shape.filters,
                  ((n * rows.output + oy) * columns.output + ox) * shape.filters);
          }
}

struct Wanted {
  std::vector<double> output, image, kernel;
};

Wanted sum_plainly(const Drawn& drawn) {
  const Convolution& shape = drawn.shape;
  Wanted wanted = {std::vector<double>(drawn.gradient_size), std::vector<double>(drawn.image_size),
                   std::vector<double>(shape.kernel_size())};
  visit_products(shape, [&](Index image, Index kernel, Index output) {
    for (Index c = 0; c < shape.channels; c++)
      for (Index f = 0; f < shape.filters; f++) {
        const Index k = kernel + c * shape.filters + f;
        const double weight = drawn.kernel[k], pixel = drawn.image[image + c];
        const double gradient = drawn.gradient[output + f];
        wanted.output[output + f] += pixel * weight;
        wanted.image[image + c] += gradient * weight;
        wanted.kernel[k] += pixel * gradient;
      }
  });
  return wanted;
}

const char* level_name = "";

void fail(const char* what, const Convolution& s, double got, double wanted) {
  std::printf("%s, %s: %g, expected %g; %lld images, %lld channels, %lld filters", level_name, what,
              got, wanted, s.images, s.channels, s.filters);
  for (const AxisShape& a : {s.rows, s.columns})
    std::printf("; %lld to %lld, kernel %lld, stride %lld, dilation %lld, padding %lld", a.image,
                a.output, a.kernel, a.stride, a.dilation, a.padding);
  std::printf("\n");
  std::exit(1);
}

void compare(const char* what, const Convolution& shape, const float* got,
             const std::vector<double>& wanted) {
  double scale = 1;
  for (double value : wanted) scale = std::max(scale, std::abs(value));
  for (std::size_t i = 0; i < wanted.size(); i++)
    if (!(std::abs(got[i] - wanted[i]) <= 1e-5 * scale)) fail(what, shape, got[i], wanted[i]);
}

using Operation = void (*)(const Level&, Threads&, const Convolution&, const float*, const float*,
                           float*, Task);

void hold(const char* what, Operation operation, const Level& level, const Convolution& shape,
          const float* first, const float* second, const std::vector<double>& wanted) {
  const Index size = static_cast<Index>(wanted.size());
  Numbers results[3];
  for (int number = 0; number < 3; number++) {
    results[number].reset(new float[size]);
    std::fill_n(results[number].get(), size, NAN);
    BusyThreads busy;
    OwnThreads own(number ? 3 : 1);
    Threads& threads = number == 2 ? static_cast<Threads&>(busy) : own;
    int times_done = 0;
    operation(level, threads, shape, first, second, results[number].get(), [&] { times_done++; });
    own.join();
    if (times_done != 1) fail("times done", shape, times_done, 1);
    busy.run();  // Too late to find anything to do.
  }
  compare(what, shape, results[0].get(), wanted);
  for (int number = 1; number < 3; number++)
    if (std::memcmp(results[0].get(), results[number].get(), size * sizeof(float)))
      fail("other bits on other threads", shape, NAN, NAN);
}

}  // namespace

int main(int, char** arguments) {
  random_bits.seed(std::atoll(arguments[1]));
  for (int round = 0; round < std::atoi(arguments[2]); round++) {
    const Drawn drawn = draw_convolution();
    const Wanted wanted = sum_plainly(drawn);
    const float *image = drawn.image.get(), *kernel = drawn.kernel.get();
    const float* gradient = drawn.gradient.get();
    for (const Level* level : available_levels()) {
      level_name = level->name;
      hold("output", convolve, *level, drawn.shape, image, kernel, wanted.output);
      hold("image gradient", image_gradient, *level, drawn.shape, gradient, kernel, wanted.image);
      hold("kernel gradient", kernel_gradient, *level, drawn.shape, image, gradient,
           wanted.kernel);
    }
  }
  for (const Level* level : available_levels()) std::printf("%s ", level->name);
  return 0;
}
