// Activations behind a scale and shift, and their slopes, for the files of a level.
#pragma once

#include "vectors.h"

namespace clearcnn {
namespace {

template <int L>
struct IntegersOf {
  typedef int Type __attribute__((vector_size(4 * L)));
};
template <int L>
using Integers = typename IntegersOf<L>::Type;

// e^x to 2e-7 of itself, for x up to 88; what is smaller than e^-87 becomes that.
template <int L>
inline Vector<L> exponential(Vector<L> x) {
  const Vector<L> least = Vector<L>{} - 87.0f;
  x = x < least ? least : x;
  // Added to 1.5 * 2^23, a number is rounded to an integer, which then fills the lowest bits.
  const Vector<L> rounded = x * 1.44269504f + 12582912.0f, twos = rounded - 12582912.0f;
  const Vector<L> rest = x - twos * 0.693145752f - twos * 1.42860677e-6f;
  Vector<L> sum = rest * (1 / 720.0f) + 1 / 120.0f;
  sum = sum * rest + 1 / 24.0f;
  sum = sum * rest + 1 / 6.0f;
  sum = sum * rest + 0.5f;
  sum = sum * rest + 1.0f;
  sum = sum * rest + 1.0f;
  return sum * (Vector<L>)(((Integers<L>)rounded << 23) + 0x3f800000);
}

// The probability that a standard normal number is below x, to 1e-7, and its density there.
//
// Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 7.1.26.
template <int L>
struct Normal {
  Vector<L> probability, density;
  explicit Normal(Vector<L> x) {
    const Vector<L> zero = {}, size = x < zero ? -x : x;
    const Vector<L> power = exponential<L>(x * x * -0.5f);
    const Vector<L> t = 1.0f / (size * (0.3275911f * 0.70710678f) + 1.0f);
    Vector<L> sum = t * 1.061405429f - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    const Vector<L> tail = sum * t * power * 0.5f;
    probability = x < zero ? tail : 1.0f - tail;
    density = power * 0.39894228f;
  }
};

// GELU by tanh is x times the logistic function of this, x * (a + b * x * x).
constexpr float kTanhLinear = 2 * 0.79788456f, kTanhCubic = kTanhLinear * 0.044715f;

template <int L>
inline Vector<L> tanh_share(Vector<L> x) {
  const Vector<L> most = Vector<L>{} + 87.0f;
  const Vector<L> power = x * (x * x * -kTanhCubic - kTanhLinear);
  return 1.0f / (exponential<L>(power > most ? most : power) + 1.0f);
}

template <int L, Activation A>
inline Vector<L> activate(Vector<L> x) {
  const Vector<L> zero = {};
  if constexpr (A == Activation::relu) return x < zero ? zero : x;  // NaN stays.
  if constexpr (A == Activation::gelu) return x * Normal<L>(x).probability;
  if constexpr (A == Activation::tanh_gelu) return x * tanh_share<L>(x);
  return x;
}

// The gradient before an activation of x, from that behind it.
template <int L, Activation A>
inline Vector<L> times_slope(Vector<L> gradient, Vector<L> x) {
  const Vector<L> zero = {};
  if constexpr (A == Activation::relu) return x > zero ? gradient : zero;
  if constexpr (A == Activation::gelu) {
    const Normal<L> normal(x);
    return gradient * (normal.probability + x * normal.density);
  }
  if constexpr (A == Activation::tanh_gelu) {
    const Vector<L> share = tanh_share<L>(x);
    const Vector<L> inner = x * (x * x * (3 * kTanhCubic) + kTanhLinear);
    return gradient * share * (inner * (1.0f - share) + 1.0f);
  }
  return gradient;
}

// Calls `work` with an activation that the compiler knows.
template <typename Work>
inline void with_activation(Activation activation, Work work) {
  switch (activation) {
    case Activation::relu: return work.template operator()<Activation::relu>();
    case Activation::gelu: return work.template operator()<Activation::gelu>();
    case Activation::tanh_gelu: return work.template operator()<Activation::tanh_gelu>();
    default: return work.template operator()<Activation::linear>();
  }
}

}  // namespace
}  // namespace clearcnn
