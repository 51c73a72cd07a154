#include <doctest/doctest.h>

#include "av/damage.h"

using namespace emomedia::av;

namespace {

bool shown_damaged(DamageTracker& damage, std::int64_t pts, bool concealed = false) {
  damage.came_out(pts, concealed);
  return damage.is_damaged(pts);
}

}  // namespace

TEST_CASE("damage reaches what is decoded after it, up to the next key frame") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.sent(2, false);
  damage.broken();
  damage.sent(1, false);  // a B-frame between the two
  damage.sent(3, true);
  CHECK_FALSE(shown_damaged(damage, 0));
  CHECK(shown_damaged(damage, 1));
  CHECK(shown_damaged(damage, 2));
  CHECK_FALSE(shown_damaged(damage, 3));
  CHECK(damage.any());
}

TEST_CASE("a picture shown before the key frame that it is decoded after may look back beyond it") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.broken();
  damage.sent(3, true);
  damage.sent(1, false);
  damage.sent(4, false);
  CHECK(shown_damaged(damage, 0));
  CHECK(shown_damaged(damage, 1));
  CHECK_FALSE(shown_damaged(damage, 3));
  CHECK_FALSE(shown_damaged(damage, 4));
}

TEST_CASE("a frame that the decoder concealed damages those after it") {
  DamageTracker damage;
  for (int n = 0; n < 6; ++n) damage.sent(n, n % 4 == 0);
  CHECK_FALSE(shown_damaged(damage, 0));
  CHECK(shown_damaged(damage, 1, true));
  CHECK(shown_damaged(damage, 2));
  CHECK(shown_damaged(damage, 3));
  CHECK_FALSE(shown_damaged(damage, 4));
  damage.reset();
  CHECK_FALSE(damage.any());
}

TEST_CASE("a B-frame is settled when the later frame that it refers to has come out") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.sent(2, false);
  damage.sent(1, false);
  damage.came_out(0, false);
  CHECK(damage.is_settled(0));
  CHECK_FALSE(damage.is_damaged(0));
  damage.came_out(1, false);
  CHECK_FALSE(damage.is_settled(1));
  damage.came_out(2, true);
  CHECK(damage.is_settled(1));
  CHECK(damage.is_damaged(1));
  CHECK(damage.is_damaged(2));
}

TEST_CASE("a frame that never comes out keeps nothing waiting") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.sent(3, false);
  damage.sent(1, false);
  damage.sent(2, false);
  damage.came_out(0, false);
  damage.came_out(2, false);
  CHECK_FALSE(damage.is_settled(2));
  damage.sent(4, false);
  damage.came_out(4, false);
  CHECK(damage.is_settled(2));
}

TEST_CASE("a packet from which no frame comes out keeps nothing waiting, whatever its time") {
  DamageTracker damage;
  damage.sent(0, true);
  damage.sent(1000, false, false);
  damage.broken();
  damage.sent(1, false);
  damage.sent(2, false);
  CHECK_FALSE(shown_damaged(damage, 0));
  damage.came_out(1, false);
  CHECK(damage.is_settled(1));
  CHECK(damage.is_damaged(1));
}
