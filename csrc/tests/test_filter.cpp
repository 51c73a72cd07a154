#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "emomedia/error.h"
#include "kernels/filter.h"

using namespace emomedia;

namespace {

void check_axis(const AxisFilter& axis, int outputs, int source) {
  CHECK(axis.size() == outputs);
  for (int o = 0; o < axis.size(); ++o) {
    const auto* row = axis.coeff.data() + o * axis.taps;
    CHECK(std::accumulate(row, row + axis.taps, 0) == kCoeffOne);
    CHECK(std::accumulate(row, row + axis.taps, 0, [](int sum, int c) { return sum + std::abs(c); }) < 2 * kCoeffOne);
    CHECK(axis.start[static_cast<std::size_t>(o)] >= axis.first_source);
    CHECK(axis.start[static_cast<std::size_t>(o)] + axis.taps <= axis.end_source);
  }
  CHECK(axis.first_source >= 0);
  CHECK(axis.end_source <= source);
}

}  // namespace

TEST_CASE("every row sums to one and stays inside the plane, whatever the geometry") {
  for (const int rotate : {0, 90, 180, 270}) {
    for (const Crop crop : {Crop{0, 0, 90, 101}, Crop{3, 5, 16, 18}, Crop{89, 100, 1, 1}, Crop{1, 0, 88, 99}}) {
      const bool swapped = rotate % 180 != 0;
      HalfGeometry g;
      g.source = {swapped ? 101 : 90, swapped ? 90 : 101};
      g.rotate = rotate;
      g.crop = crop;
      g.width = 32;
      g.height = 36;
      const auto filters = compose_filters(g);
      check_axis(filters[0].rows, 36, 101);
      check_axis(filters[0].cols, 32, 90);
      check_axis(filters[1].rows, 18, 51);
      check_axis(filters[1].cols, 16, 45);
    }
  }
}

TEST_CASE("a scale of one leaves luma as it is") {
  HalfGeometry g;
  g.source = {64, 72};
  g.crop = {16, 8, 32, 36};
  g.width = 32;
  g.height = 36;
  const auto filters = compose_filters(g);
  CHECK(filters[0].cols.taps == 1);
  CHECK(filters[0].cols.start[5] == 21);
  CHECK(filters[1].cols.taps == 1);
  CHECK(filters[1].rows.start[5] == 9);
}

// The ranges in compose.h rest on this.
TEST_CASE("coefficients' sizes sum to 1.56 at the most, and come near it at 1.04x") {
  int largest = 0;
  for (const int source : {100, 200, 202, 206, 208, 210, 220, 299, 300, 450, 600, 5000}) {
    HalfGeometry g;
    g.source = {source, 8};
    g.crop = {0, 0, source, 8};
    g.width = 200;
    g.height = 8;
    const AxisFilter axis = compose_filters(g)[0].cols;
    for (int o = 0; o < axis.size(); ++o) {
      const auto* row = axis.coeff.data() + o * axis.taps;
      largest = std::max(largest, std::accumulate(row, row + axis.taps, 0, [](int sum, int c) { return sum + std::abs(c); }));
    }
  }
  CHECK(largest <= 1.56 * kCoeffOne);
  CHECK(largest > 1.55 * kCoeffOne);
}

TEST_CASE("a crop outside the picture is refused") {
  HalfGeometry g;
  g.source = {64, 72};
  for (const Crop crop : {Crop{-1, 0, 32, 36}, Crop{40, 0, 32, 36}, Crop{0, 40, 32, 36}, Crop{0, 0, 0, 36}}) {
    g.crop = crop;
    CHECK_THROWS_AS(compose_filters(g), Error);
  }
}
