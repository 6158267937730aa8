// Work shared out among threads that belong to somebody else.
#pragma once

#include <functional>

namespace clearcnn {

class Threads {
 public:
  virtual ~Threads() = default;
  virtual int count() = 0;
  // Runs a task some time, on any thread, or now.
  virtual void schedule(std::function<void()> task) = 0;
};

using Task = std::function<void()>;

// Does work(0) … work(parts - 1), each once, and then `finish`, on the thread that was last.
//
// The caller takes parts like any other thread, and goes when there are none left, perhaps before
// `finish`. Nobody ever waits: neither for a thread that is not free, so that all threads of the
// pool may be in here at once, nor for one that the system has put aside.
void for_each_part(Threads& threads, int parts, std::function<void(int)> work, Task finish);

// How many parts are worked on at once, at most.
int count_workers(Threads& threads, int parts);

// Calls work(number of an image) for all of them, several at once; `numbers` are those that each
// reads and writes.
void for_each_image(Threads& threads, long long images, long long numbers,
                    std::function<void(long long)> work, Task finish);

}  // namespace clearcnn
