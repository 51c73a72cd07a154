#include <doctest/doctest.h>

#include "av/damage.h"

using namespace emomedia::av;

TEST_CASE("damage reaches what is decoded after it, up to the next key frame") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.sent(2, false);
  damage.broken();
  damage.sent(1, false);  // a B-frame between the two
  damage.sent(3, true);
  CHECK_FALSE(damage.is_damaged(0, false));
  CHECK(damage.is_damaged(1, false));
  CHECK(damage.is_damaged(2, false));
  CHECK_FALSE(damage.is_damaged(3, false));
  CHECK(damage.any());
}

TEST_CASE("a picture shown before the key frame that it is decoded after may look back beyond it") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.broken();
  damage.sent(3, true);
  damage.sent(1, false);
  damage.sent(4, false);
  CHECK(damage.is_damaged(0, false));
  CHECK(damage.is_damaged(1, false));
  CHECK_FALSE(damage.is_damaged(3, false));
  CHECK_FALSE(damage.is_damaged(4, false));
}

TEST_CASE("a frame that the decoder concealed damages those after it") {
  DamageTracker damage;
  for (int n = 0; n < 6; ++n) damage.sent(n, n % 4 == 0);
  CHECK_FALSE(damage.is_damaged(0, false));
  CHECK(damage.is_damaged(1, true));
  CHECK(damage.is_damaged(2, false));
  CHECK(damage.is_damaged(3, false));
  CHECK_FALSE(damage.is_damaged(4, false));
  damage.reset();
  CHECK_FALSE(damage.any());
}
