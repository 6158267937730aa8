// Memory for the threads of one call, taken before they begin: they allocate nothing.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "parallel.h"
#include "tiles.h"

namespace clearcnn {

// As many arrays of `size` numbers as threads can be at work at once in `for_each_part`.
class Scratch {
 public:
  Scratch(Threads& threads, int parts, Index size)
      : size_(size),
        taken_(count_workers(threads, parts)),
        numbers_(new float[taken_.size() * size]) {}

  // One of the arrays, for as long as this lives.
  class Loan {
   public:
    explicit Loan(Scratch& scratch) : scratch_(scratch) {
      while (scratch.taken_[number_].exchange(true)) {
        number_ = (number_ + 1) % scratch.taken_.size();
      }
    }
    ~Loan() { scratch_.taken_[number_] = false; }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    float* data() { return scratch_.numbers_.get() + number_ * scratch_.size_; }

   private:
    Scratch& scratch_;
    std::size_t number_ = 0;
  };

 private:
  Index size_;
  std::vector<std::atomic<bool>> taken_;
  std::unique_ptr<float[]> numbers_;
};

}  // namespace clearcnn
