#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <utility>

namespace clearcnn {
namespace {

// Numbers below which one thread is done before another has woken up, and the most parts.
constexpr long long kNumbersOfPart = 1 << 15, kMostParts = 32;

// Outlives the call: a thread may look in long after all parts are taken.
struct Shared {
  Shared(int parts, std::function<void(int)> work, Task finish)
      : parts(parts), work(std::move(work)), finish(std::move(finish)) {}

  void take_parts() {
    int mine = 0;
    for (int part; (part = next.fetch_add(1)) < parts; mine++) work(part);
    if (mine && done.fetch_add(mine) + mine == parts) finish();
  }

  const int parts;
  const std::function<void(int)> work;
  const Task finish;
  std::atomic<int> next{0}, done{0};
};

}  // namespace

int count_workers(Threads& threads, int parts) {
  return std::max(1, std::min(parts, threads.count()));
}

void for_each_part(Threads& threads, int parts, std::function<void(int)> work, Task finish) {
  const int helpers = count_workers(threads, parts) - 1;
  if (helpers < 1) {
    for (int part = 0; part < parts; part++) work(part);
    finish();
    return;
  }
  const auto shared = std::make_shared<Shared>(parts, std::move(work), std::move(finish));
  try {
    for (int number = 0; number < helpers; number++) {
      threads.schedule([shared] { shared->take_parts(); });
    }
  } catch (const std::bad_alloc&) {
    // Helpers may have begun, so that it is too late to fail: they and the caller do all parts.
  }
  shared->take_parts();
}

void for_each_image(Threads& threads, long long images, long long numbers,
                    std::function<void(long long)> work, Task finish) {
  const long long most = std::max(1LL, std::min(images, kMostParts));
  const int parts = static_cast<int>(std::clamp(images * numbers / kNumbersOfPart, 1LL, most));
  for_each_part(
      threads, parts,
      [=, work = std::move(work)](int part) {
        for (long long n = images * part / parts; n < images * (part + 1) / parts; n++) work(n);
      },
      std::move(finish));
}

}  // namespace clearcnn
