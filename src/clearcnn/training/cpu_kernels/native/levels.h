// The levels of instructions that this library was compiled for.
#pragma once

#include <vector>

#include "tiles.h"

namespace clearcnn {

// Those that this processor has, the best first; none where it is too old.
std::vector<const Level*> available_levels();

}  // namespace clearcnn
