#include <doctest/doctest.h>

#include "engine/gop.h"

using emomedia::is_idr;

TEST_CASE("a span begins with an IDR picture and has one every GOP") {
  for (int position = 0; position < 25; ++position) CHECK(is_idr(position, 25, 10) == (position % 10 == 0));
}

TEST_CASE("no span of two frames or more ends in a lone IDR picture") {
  CHECK(is_idr(10, 12, 10));
  CHECK_FALSE(is_idr(10, 11, 10));
  CHECK(is_idr(0, 1, 10));
}
