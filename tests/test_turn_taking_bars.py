"""Turns beside those of known conversations; ``python -m benchmarks.turns`` measures the same on more."""

from __future__ import annotations

from benchmarks.turns import events, missed, rooms


def test_the_turns_of_conversations_of_events():
    scores = events(4, 600.0)
    assert missed(scores["with words"]) == []
    silent, before = scores["without words"], scores["before"]
    assert silent.f1 > 0.82 > before.f1  # what words would tell, lengths and places don't
    assert silent.backchannel_f1 > 0.72 > before.backchannel_f1
    assert silent.edges[0] <= 20 and silent.edges[1] <= 80


def test_the_turns_of_real_voices_in_a_room():
    score = rooms(1, 45.0)["with words"]
    assert score.f1 >= 0.9 and score.backchannel_f1 >= 0.85
    assert score.edges[0] <= 20 and score.edges[1] <= 80
