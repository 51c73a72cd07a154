#include <doctest/doctest.h>

#include "av/decode_tally.h"

using namespace emomedia::av;

namespace {

// I0 P3 B1 B2 I4 P7 B5 B6, the frames named by their times.
void send_two_gops(DecodeTally& tally) {
  for (const int pts : {0, 3, 1, 2, 4, 7, 5, 6}) tally.sent(pts, pts % 4 == 0);
}

}  // namespace

TEST_CASE("what lies between a shown frame and its key frame in decoding order is a lead-in, the rest surplus") {
  DecodeTally tally;
  send_two_gops(tally);
  tally.shows(1);
  CHECK(tally.counts() == DecodeCounts{1, 2, 5});  // I0 and P3 lead to B1
  tally.shows(2);
  CHECK(tally.counts() == DecodeCounts{2, 2, 4});
  tally.shows(3);
  CHECK(tally.counts() == DecodeCounts{3, 1, 4});
}

TEST_CASE("frames passed over before the next key frame are surplus") {
  DecodeTally tally;
  send_two_gops(tally);
  tally.shows(0);
  tally.shows(5);
  CHECK(tally.counts() == DecodeCounts{2, 2, 4});  // I4 and P7 lead to B5; P3, B1, B2 and B6 to nothing
}

TEST_CASE("a frame that another one is made of too is demanded, not shown") {
  DecodeTally tally;
  for (int pts = 0; pts < 5; ++pts) tally.sent(pts, true);
  tally.needs(1);
  tally.shows(2);
  tally.needs(3);
  CHECK(tally.counts() == DecodeCounts{1, 2, 2});
  tally.needs(2);
  tally.shows(3);
  tally.needs(4);
  CHECK(tally.counts() == DecodeCounts{2, 2, 1});
}

TEST_CASE("counts go on over a restart; a frame that is not there is not counted") {
  DecodeTally tally;
  tally.sent(0, true);
  tally.sent(1, false);
  tally.shows(0);
  tally.restart();
  tally.sent(0, true);
  tally.sent(1, false);
  tally.shows(1);
  tally.shows(9);
  CHECK(tally.counts() == DecodeCounts{2, 1, 1});
  CHECK(tally.counts().decoded() == 4);
}
