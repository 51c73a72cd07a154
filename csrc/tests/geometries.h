// Random geometries of compose, for the tests of its kernels.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <random>

#include "kernels/filter.h"

namespace emomedia::tests {

inline int upto(int most, std::mt19937& random) { return 1 + static_cast<int>(random() % static_cast<unsigned>(most)); }
inline bool coin(std::mt19937& random) { return random() % 2 != 0; }

template <typename T, std::size_t n>
T one_of(const T (&choices)[n], std::mt19937& random) {
  return choices[random() % n];
}

// Any crop of any picture, however it lies; not yet to any size.
inline HalfGeometry any_crop(std::mt19937& random) {
  const int width = upto(coin(random) ? 40 : 300, random), height = upto(coin(random) ? 40 : 300, random);
  HalfGeometry g;
  g.source = {width, height, one_of({8, 10, 12}, random), upto(2, random), upto(2, random)};
  g.siting = one_of({Siting::left, Siting::center, Siting::top_left}, random);
  g.rotate = one_of({0, 90, 180, 270}, random);
  g.mirrored = coin(random);
  g.full_chroma = coin(random);
  const bool swapped = g.rotate % 180 != 0;
  const int upright_width = swapped ? height : width, upright_height = swapped ? width : height;
  g.crop.width = upto(upright_width, random);
  g.crop.height = upto(upright_height, random);
  g.crop.x = upto(upright_width - g.crop.width + 1, random) - 1;
  g.crop.y = upto(upright_height - g.crop.height + 1, random) - 1;
  return g;
}

// A new seed for each run, or the one that --rand-seed gives.
struct Seeded {
  unsigned seed = doctest::getContextOptions()->rand_seed != 0 ? doctest::getContextOptions()->rand_seed
                                                                : std::random_device{}();
  std::mt19937 random{seed};
};

}  // namespace emomedia::tests
