#include "levels.h"

namespace clearcnn {

#if defined(__x86_64__)
namespace x86_64_v2 {
extern const Level level;
}
namespace x86_64_v3 {
extern const Level level;
}
namespace x86_64_v4 {
extern const Level level;
}

std::vector<const Level*> available_levels() {
  std::vector<const Level*> found;
  // Asked for are just the instructions that build.py lets the compiler use for each level.
  __builtin_cpu_init();
  const bool v2 = __builtin_cpu_supports("sse4.2");
  const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  if (v4) found.push_back(&x86_64_v4::level);
  if (v3) found.push_back(&x86_64_v3::level);
  if (v2) found.push_back(&x86_64_v2::level);
  return found;
}
#else
namespace neon {
extern const Level level;
}

std::vector<const Level*> available_levels() { return {&neon::level}; }
#endif

}  // namespace clearcnn
