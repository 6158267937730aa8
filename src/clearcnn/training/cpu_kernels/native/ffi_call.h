// What all calls by XLA share: its threads, the level of instructions, and how errors come back.
#pragma once

#include <exception>
#include <string>

#include "levels.h"
#include "parallel.h"
#include "xla/ffi/api/ffi.h"

namespace clearcnn {

namespace ffi = xla::ffi;

using Array = ffi::Buffer<ffi::F32>;
using Sizes = ffi::Span<const int64_t>;
// One number; as an array, it is no constant of the program.
using Count = ffi::Buffer<ffi::S32>;

// The level of instructions that this processor gets, or null.
inline const Level* best_level() {
  static const std::vector<const Level*> levels = available_levels();
  return levels.empty() ? nullptr : levels.front();
}

// Reads a count of the first images or rows; 0 if it is not within [1, most].
inline Index read_count(const Count& count, Index most) {
  if (count.element_count() != 1) return 0;
  const Index number = *count.typed_data();
  return number >= 1 && number <= most ? number : 0;
}

// Counts the pixels of the output along an axis, as XLA does; none if the sizes make no sense.
inline AxisShape make_axis(Index image, Index kernel, Index stride, Index dilation, Index before,
                           Index after) {
  AxisShape axis = {image, 0, kernel, stride, dilation, before};
  if (stride < 1 || dilation < 1 || kernel < 1) return axis;
  const Index room = image + before + after - (kernel - 1) * dilation - 1;
  if (room >= 0) axis.output = room / stride + 1;
  return axis;
}

class PoolThreads : public Threads {
 public:
  explicit PoolThreads(ffi::ThreadPool pool) : pool_(pool) {}
  int count() override { return static_cast<int>(pool_.num_threads()); }
  void schedule(std::function<void()> task) override { pool_.Schedule(std::move(task)); }

 private:
  ffi::ThreadPool pool_;
};

// Calls work(level, threads, finish), unless `fits` is false. XLA goes on when the future is there,
// on the thread that was last: none of its threads waits.
template <typename Work>
ffi::Future start(ffi::ThreadPool pool, bool fits, Work work) {
  ffi::Promise promise;
  ffi::Future future(promise);
  const Level* level = best_level();
  if (!fits) {
    promise.SetError(ffi::Error::InvalidArgument("the shapes do not belong together"));
  } else if (level == nullptr) {
    promise.SetError(ffi::Error::Internal("there is no kernel for this processor"));
  } else {
    PoolThreads threads(pool);
    try {
      work(*level, threads, [promise]() mutable { promise.SetAvailable(); });
    } catch (const std::exception& error) {  // Of memory; then no part has begun.
      promise.SetError(ffi::Error::Internal(std::string("a kernel failed: ") + error.what()));
    }
  }
  return future;
}

}  // namespace clearcnn
