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

// x times the ratio of two polynomials of x * x, each from its constant on; constant beyond ±most.
template <int L>
inline Vector<L> odd_ratio(Vector<L> x, float most, const float (&top)[6],
                           const float (&bottom)[6]) {
  const Vector<L> largest = Vector<L>{} + most;
  x = x > largest ? largest : x;  // NaN stays.
  x = x < -largest ? -largest : x;
  const Vector<L> square = x * x;
  Vector<L> above = square * top[5] + top[4], below = square * bottom[5] + bottom[4];
#pragma GCC unroll 4
  for (int power = 3; power >= 0; power--) {
    above = above * square + top[power];
    below = below * square + bottom[power];
  }
  return above * x / below;
}

// The probability that a standard normal number is below x, to 2e-7: fitted to it, for the least
// largest error, as is the slope of GELU.
template <int L>
inline Vector<L> probability_below(Vector<L> x) {
  constexpr float top[] = {0.398942258f,    0.0327345105f,   0.00461788792f,
                           0.000158534631f, 6.39234101e-06f, 2.43890648e-08f};
  constexpr float bottom[] = {1.0f,             0.248719538f,    0.0280293066f,
                              0.00182651193f, 7.09009674e-05f, 1.2478998e-06f};
  return odd_ratio<L>(x, 5.25f, top, bottom) + 0.5f;
}

// The derivative of x times that probability, to 4e-7.
template <int L>
inline Vector<L> gelu_slope(Vector<L> x) {
  constexpr float top[] = {0.797885361f,    -0.0309955894f, 0.0142302771f,
                           1.92261109e-05f, 3.5955668e-05f, 1.9292542e-07f};
  constexpr float bottom[] = {1.0f,           0.294494372f,    0.0409802893f,
                              0.00352303974f, 0.000192037465f, 8.95229228e-06f};
  return odd_ratio<L>(x, 5.8f, top, bottom) + 0.5f;
}

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
  if constexpr (A == Activation::gelu) return x * probability_below<L>(x);
  if constexpr (A == Activation::tanh_gelu) return x * tanh_share<L>(x);
  return x;
}

// The gradient before an activation of x, from that behind it.
template <int L, Activation A>
inline Vector<L> times_slope(Vector<L> gradient, Vector<L> x) {
  const Vector<L> zero = {};
  if constexpr (A == Activation::relu) return x > zero ? gradient : zero;
  if constexpr (A == Activation::gelu) return gradient * gelu_slope<L>(x);
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
