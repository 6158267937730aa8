// What the exercises share: threads, drawn numbers, and one operation on several kinds of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "levels.h"
#include "parallel.h"

namespace clearcnn {

inline std::mt19937_64 random_bits;

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

// A pool that has memory for one task only.
class FullThreads : public OwnThreads {
 public:
  FullThreads() : OwnThreads(4) {}
  void schedule(std::function<void()> task) override {
    if (is_full_) throw std::bad_alloc();
    is_full_ = true;
    OwnThreads::schedule(std::move(task));
  }

 private:
  bool is_full_ = false;
};

using Numbers = std::unique_ptr<float[]>;

inline Index draw(Index low, Index high) {
  return std::uniform_int_distribution<Index>(low, high)(random_bits);
}

inline Numbers draw_numbers(Index size) {
  Numbers numbers(new float[size]);
  std::normal_distribution<float> normal;
  for (Index i = 0; i < size; i++) numbers[i] = normal(random_bits);
  return numbers;
}

inline AxisShape draw_axis(Index most_dilation = 3) {
  AxisShape axis;
  do {
    axis = {draw(1, 12), 0, draw(1, 6), draw(1, 3), draw(1, most_dilation),
            draw(-2, 6)};
    const Index padded = axis.image + axis.padding + draw(-2, 6);
    const Index room = padded - (axis.kernel - 1) * axis.dilation - 1;
    axis.output = room < 0 ? 0 : room / axis.stride + 1;
  } while (axis.output == 0);
  return axis;
}

inline Index draw_width() {
  static const Index special[] = {8, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 80, 129};
  return draw(0, 2) ? draw(1, 20) : special[draw(0, std::size(special) - 1)];
}

// Few values, so that there are ties.
inline Numbers draw_ties(Index size) {
  Numbers numbers(new float[size]);
  for (Index i = 0; i < size; i++) numbers[i] = static_cast<float>(draw(-2, 2));
  return numbers;
}

// Calls visit(number of the tap, offset in the image, offset in the output).
template <typename Visit>
inline void visit_taps(Index images, const PoolShape& shape, Visit visit) {
  const AxisShape &rows = shape.rows, &columns = shape.columns;
  for (Index n = 0; n < images; n++)
    for (Index oy = 0; oy < rows.output; oy++)
      for (Index ox = 0; ox < columns.output; ox++)
        for (Index tap = 0; tap < rows.kernel * columns.kernel; tap++) {
          const Index y = oy * rows.stride - rows.padding + tap / columns.kernel;
          const Index x = ox * columns.stride - columns.padding + tap % columns.kernel;
          if (y < 0 || y >= rows.image || x < 0 || x >= columns.image) continue;
          visit(tap, ((n * rows.image + y) * columns.image + x) * shape.channels,
                ((n * rows.output + oy) * columns.output + ox) * shape.channels);
        }
}

// Sums in double, and what float32 may make of them.
struct Sums {
  std::vector<double> values, sizes;  // The sizes add up the terms without their signs.

  explicit Sums(Index count) : values(count), sizes(count) {}
  void add(Index at, double term) {
    values[at] += term;
    sizes[at] += std::abs(term);
  }
};

// Half of the distance between 1 and the next float32.
constexpr double kRounding = 0x1p-24;

// How far from the sum of terms of these sizes a kernel may be. It adds up at most 256 terms of one
// sign in float32, and then the standard deviation of the error is 5.4 roundings of their sum:
// sqrt(256^3 / 9) roundings of a term. Terms of both signs have smaller sums on the way, so that
// even thousands of them stay far below. The limit is six standard deviations.
inline double limit_of_sum(double size) { return 32 * kRounding * size; }

inline std::vector<double> limits_of(const Sums& sums) {
  std::vector<double> limits;
  for (double size : sums.sizes) limits.push_back(limit_of_sum(size));
  return limits;
}

[[noreturn]] inline void fail(const char* level, const char* what) {
  std::printf("%s, %s", level, what);
  std::exit(1);
}

// Runs operation(threads, results, finish) on one thread, on three, on a pool that is busy, and on
// one that is full: each must be done once, with the same bits and, within the limits, with what is wanted.
template <typename Operation>
void hold(const Level& level, const char* what, const std::vector<double>& wanted,
          const std::vector<double>& limits, Operation operation) {
  const std::size_t size = wanted.size();
  Numbers results[4];
  for (int number = 0; number < 4; number++) {
    results[number].reset(new float[size]);
    std::fill_n(results[number].get(), size, NAN);
    OwnThreads one(1), three(3);
    BusyThreads busy;
    FullThreads full;
    Threads* const kinds[] = {&one, &three, &busy, &full};
    Threads& threads = *kinds[number];
    int times_done = 0;
    operation(threads, results[number].get(), [&] { times_done++; });
    three.join();
    full.join();
    if (times_done != 1) fail(level.name, what);
    busy.run();  // Too late to find anything to do.
    if (std::memcmp(results[0].get(), results[number].get(), size * sizeof(float))) {
      fail(level.name, what);
    }
  }
  for (std::size_t i = 0; i < size; i++) {
    if (!(std::abs(results[0][i] - wanted[i]) <= limits[i])) {
      std::printf("number %zu: %.9g, expected %.9g, limit %g; ", i, results[0][i], wanted[i],
                  limits[i]);
      fail(level.name, what);
    }
  }
}

// The same, within 1e-5 of the largest number, or of 1: for a few operations each.
template <typename Operation>
void hold(const Level& level, const char* what, const std::vector<double>& wanted,
          Operation operation) {
  double scale = 1;
  for (double value : wanted) scale = std::max(scale, std::abs(value));
  hold(level, what, wanted, std::vector<double>(wanted.size(), 1e-5 * scale), operation);
}

void exercise_pooling();
void exercise_pooled_convolution();
void exercise_sums();
void exercise_normalization();
void exercise_warp();
void exercise_depthwise();

}  // namespace clearcnn
